-- Orders that nobody has claimed for a while pass to a process. Where to look on comes out, reply ids with records,
-- and the moment (Unix ms). A process that was itself away since its last look gets none: where all were, because the
-- server or their machine stood still, the others need a moment to say that they live.
-- KEYS: orders. ARGV: group, process, milliseconds, where to look from, most at once, prefix of claims, seconds that
-- a claim is kept at most, moment of this process's last look, milliseconds after which it was away.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now - ARGV[8] > tonumber(ARGV[9]) then return {ARGV[4], {}, now} end

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
return {answer[1], orphans, now}
