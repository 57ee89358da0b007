-- A reply's reservation is given back and what it used is counted, once: 1 comes out, 0 where it was before.
-- KEYS: mark of this reply, used of today, reservations of today, reservations of yesterday, the caller's totals.
-- ARGV: reply id, model, tokens that today's budget pays, seconds that a day is kept, most rows of a caller,
-- the row's name, the name of the row for all that have none, then names and amounts of what was used.
if not redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[4]) then return 0 end
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
redis.call('HINCRBY', KEYS[2], ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[4])
local row = ARGV[6]
if redis.call('HEXISTS', KEYS[5], row .. 'replies') == 0 and redis.call('HLEN', KEYS[5]) >= tonumber(ARGV[5]) then
  row = ARGV[7]
end
for i = 8, #ARGV, 2 do redis.call('HINCRBYFLOAT', KEYS[5], row .. ARGV[i], ARGV[i + 1]) end
return 1
