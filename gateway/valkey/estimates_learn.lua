-- What replies showed is taken into what all gateways know; what the server knows then comes out, name by name.
-- KEYS: values, when each was learned last. ARGV: most values, then names, values and what they weigh.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 2, #ARGV, 3 do
  local value = tonumber(ARGV[i + 1])
  local known = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or value)
  redis.call('HSET', KEYS[1], ARGV[i], string.format('%.6g', known + ARGV[i + 2] * (value - known)))
  redis.call('ZADD', KEYS[2], now, ARGV[i])
end
local beyond = redis.call('ZCARD', KEYS[2]) - ARGV[1]
if beyond > 0 then
  for _, name in ipairs(redis.call('ZRANGE', KEYS[2], 0, beyond - 1)) do
    redis.call('HDEL', KEYS[1], name)
    redis.call('ZREM', KEYS[2], name)
  end
end
return redis.call('HGETALL', KEYS[1])
