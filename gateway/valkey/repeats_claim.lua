-- A key is claimed: 'mine' comes out, 'waiting' while another makes its reply, 'reused' for another body's key,
-- or the reply's id. KEYS: the key. ARGV: digest of the body, token of this claim, ms that a claim holds.
local digest, token, reply = unpack(redis.call('HMGET', KEYS[1], 'digest', 'token', 'reply'))
if digest and digest ~= ARGV[1] then return 'reused' end
if reply then return {reply} end
if token and token ~= ARGV[2] then return 'waiting' end
redis.call('HSET', KEYS[1], 'digest', ARGV[1], 'token', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 'mine'
