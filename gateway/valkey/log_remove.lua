-- A reply's log is forgotten; a last entry, which is no event, sends its readers away.
-- KEYS: log, events, replies. ARGV: reply id, seconds that the last entry stays.
local last = redis.call('HGET', KEYS[1], 'last')
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('DEL', KEYS[1])
if not last then return redis.call('DEL', KEYS[2]) end
redis.call('XADD', KEYS[2], 'MAXLEN', 1, (last + 1) .. '-0', 'removed', 1)
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
