-- A process lets go of a reply: its entry looks as if it had been left for long, and the others are told.
-- KEYS: claim of this reply, orders, releases. ARGV: group, process, milliseconds.
local entry, holder = unpack(redis.call('HMGET', KEYS[1], 'entry', 'holder'))
if holder ~= ARGV[2] then return 0 end
redis.call('XCLAIM', KEYS[2], ARGV[1], ARGV[2], 0, entry, 'IDLE', ARGV[3], 'JUSTID')
redis.call('HSET', KEYS[1], 'holder', '')
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 100, '*', 'by', ARGV[2])
return 1
