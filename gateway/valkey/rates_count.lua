-- One more request of a caller: 0 comes out where it may pass, else the ms until it may.
-- KEYS: the caller's bucket, which holds when it will be full again. ARGV: requests a minute.
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local each = 60000 / ARGV[1]
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + each
if full_at - now > 60000 then return math.ceil(full_at - now - 60000) end
redis.call('SET', KEYS[1], string.format('%.3f', full_at), 'PX', math.ceil(full_at - now))
return 0
