-- Orders that nobody has claimed for a while pass to a process. Where to look on comes out, and reply ids with
-- records. An entry whose claim is gone has ended.
-- KEYS: orders. ARGV: group, process, milliseconds, where to look from, most at once, prefix of claims.
local answer = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5])
local orphans = {}
for _, entry in ipairs(answer[2]) do
  local reply_id, record = entry[2][2], entry[2][4]
  local claim = ARGV[6] .. reply_id
  if redis.call('EXISTS', claim) == 1 then
    redis.call('HSET', claim, 'holder', ARGV[2])
    orphans[#orphans + 1] = {reply_id, record}
  else
    redis.call('XACK', KEYS[1], ARGV[1], entry[1])
    redis.call('XDEL', KEYS[1], entry[1])
  end
end
return {answer[1], orphans}
