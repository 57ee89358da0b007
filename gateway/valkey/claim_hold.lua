-- A process makes a reply: its order joins the stream, in that process's hands. The order's entry comes out.
-- KEYS: claim of this reply, orders. ARGV: group, process, reply id, record, seconds that a claim is kept at most.
local entry = redis.call('HGET', KEYS[1], 'entry')
-- The same call again, because its answer was lost.
if entry then return entry end
entry = redis.call('XADD', KEYS[2], '*', 'reply', ARGV[3], 'record', ARGV[4])
redis.call('XCLAIM', KEYS[2], ARGV[1], ARGV[2], 0, entry, 'FORCE', 'JUSTID', 'LASTID', entry)
redis.call('HSET', KEYS[1], 'entry', entry, 'holder', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return entry
