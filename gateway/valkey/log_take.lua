-- A reply's log passes into other hands: their epoch comes out, 0 where there is no such log.
-- KEYS: log.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HINCRBY', KEYS[1], 'epoch', 1)
