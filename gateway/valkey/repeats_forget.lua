-- A key is freed where it stands for this reply. KEYS: the key. ARGV: the reply's id.
if redis.call('HGET', KEYS[1], 'reply') == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
