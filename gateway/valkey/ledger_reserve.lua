-- A reply's tokens are set aside; out come whether they fit (1/0), what is used and what others have reserved.
-- KEYS: used of the day, reservations of the day and model. ARGV: reply id, model, tokens, budget (-1: none),
-- seconds after which no reply can hold it any more, seconds that a day is kept.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reserved = 0
local held = redis.call('HGETALL', KEYS[2])
for i = 1, #held, 2 do
  local tokens, until_ms = string.match(held[i + 1], '(%d+) (%d+)')
  if tonumber(until_ms) <= now then
    redis.call('HDEL', KEYS[2], held[i])
  elseif held[i] ~= ARGV[1] then
    reserved = reserved + tokens
  end
end
local used = tonumber(redis.call('HINCRBY', KEYS[1], ARGV[2], 0))
redis.call('EXPIRE', KEYS[1], ARGV[6])
local budget = tonumber(ARGV[4])
if budget >= 0 and used + reserved + ARGV[3] > budget then return {0, used, reserved} end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3] .. ' ' .. string.format('%d', now + ARGV[5] * 1000))
redis.call('EXPIRE', KEYS[2], ARGV[6])
return {1, used, reserved}
