-- A process says that it is alive: its entries are claimed anew. A list of the replies it has lost comes out.
-- KEYS: orders, then the claim of each reply. ARGV: group, process, then the id of each reply.
local lost = {}
for i = 3, #ARGV do
  local entry, holder = unpack(redis.call('HMGET', KEYS[i - 1], 'entry', 'holder'))
  if holder == ARGV[2] then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, entry, 'JUSTID')
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
