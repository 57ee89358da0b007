-- A claim ends: with its reply's id, or, where that is empty, with the key free again.
-- KEYS: the key. ARGV: token of the claim, the reply's id, ms that it is remembered.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'reply', ARGV[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
