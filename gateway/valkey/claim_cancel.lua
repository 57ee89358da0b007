-- A reply is to be cancelled: whoever makes it, now or later, is told.
-- KEYS: claim of this reply. ARGV: reply id, prefix of inboxes, most notes in one, seconds that nobody has to read it.
local holder = redis.call('HGET', KEYS[1], 'holder')
if not holder then return 0 end
redis.call('HSET', KEYS[1], 'cancelled', 1)
if holder ~= '' then
  local inbox = ARGV[2] .. holder
  redis.call('XADD', inbox, 'MAXLEN', ARGV[3], '*', 'kind', 'cancel', 'reply', ARGV[1])
  -- Its process may be gone.
  redis.call('EXPIRE', inbox, ARGV[4])
end
return 1
