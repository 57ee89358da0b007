-- A reply's log passes into other hands: how many it has been in by now comes out, 0 where there is no such log.
-- KEYS: log. ARGV: process.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local hands = redis.call('HINCRBY', KEYS[1], 'hands', 1)
-- A number alone would be given twice by a server that forgot the last time.
redis.call('HSET', KEYS[1], 'writer', ARGV[1] .. '.' .. hands)
return hands
