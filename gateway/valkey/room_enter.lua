-- A reply takes room: 'in' comes out, or 'caller' or 'all' for whose room is full.
-- KEYS: all replies in the making, those of the caller. ARGV: reply id, most of the caller, most of all,
-- seconds after which no reply can be in the making any more.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, key in ipairs(KEYS) do redis.call('ZREMRANGEBYSCORE', key, '-inf', now) end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[2]) then return 'caller' end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 'all' end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, string.format('%d', now + ARGV[4] * 1000), ARGV[1])
  redis.call('EXPIRE', key, math.ceil(ARGV[4]) + 60)
end
return 'in'
