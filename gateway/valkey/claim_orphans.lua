-- Orders that nobody has claimed for a while pass to a process. Where to look on comes out, and reply ids with
-- records.
-- KEYS: orders. ARGV: group, process, milliseconds, where to look from, most at once, prefix of claims, seconds that
-- a claim is kept at most.

-- There already, but on a server that forgot it.
redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
local answer = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5])
local orphans = {}
for _, entry in ipairs(answer[2]) do
  local reply_id, record = entry[2][2], entry[2][4]
  local claim = ARGV[6] .. reply_id
  redis.call('HSET', claim, 'entry', entry[1], 'holder', ARGV[2])
  redis.call('EXPIRE', claim, ARGV[7])
  orphans[#orphans + 1] = {reply_id, record}
end
return {answer[1], orphans}
