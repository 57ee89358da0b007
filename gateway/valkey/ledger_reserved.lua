-- Tokens that replies in flight hold come out, one sum for each key. KEYS: reservations of a day and model.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local sums = {}
for i, key in ipairs(KEYS) do
  sums[i] = 0
  for _, held in ipairs(redis.call('HVALS', key)) do
    local tokens, until_ms = string.match(held, '(%d+) (%d+)')
    if tonumber(until_ms) > now then sums[i] = sums[i] + tokens end
  end
end
return sums
