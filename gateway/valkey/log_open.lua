-- A reply's id and who asked for it go in; an empty log is there, in the hands of its first process.
-- KEYS: log, replies. ARGV: reply id, owner, seconds that a log is kept at most.
redis.call('HSET', KEYS[1], 'owner', ARGV[2], 'epoch', 1, 'last', 0)
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], '+inf', ARGV[1])
return 1
