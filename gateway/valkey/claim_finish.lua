-- A reply has ended: its order is done and gone, if it is still this process's.
-- KEYS: claim of this reply, orders. ARGV: group, process.
local entry, holder = unpack(redis.call('HMGET', KEYS[1], 'entry', 'holder'))
if holder ~= ARGV[2] then return 0 end
redis.call('XACK', KEYS[2], ARGV[1], entry)
redis.call('XDEL', KEYS[2], entry)
return redis.call('DEL', KEYS[1])
