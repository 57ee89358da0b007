-- An event goes to the end of a reply's log; its id and time (Unix ms) come out, or the word for why not; or 'behind'
-- and the newest event's id, where the server has forgotten what the caller knows to be in the log.
-- KEYS: log, events, replies. ARGV: reply id, writer, token of this call, event type, data, is it terminal (1/0),
-- most events before the terminal one, seconds that a log is kept at most, id of the event that is there at least.
local writer, last, token, at, ended = unpack(redis.call('HMGET', KEYS[1], 'writer', 'last', 'token', 'at', 'ended'))
if not writer then return {'unknown'} end
-- The same call again, because its answer was lost.
if token == ARGV[3] then return {tonumber(last), tonumber(at)} end
if ended then return {'ended'} end
if writer ~= ARGV[2] then return {'taken'} end
if tonumber(last) < tonumber(ARGV[9]) then return {'behind', tonumber(last)} end
local terminal = ARGV[6] == '1'
if tonumber(last) >= tonumber(ARGV[7]) and not terminal then return {'full'} end

local id = tonumber(last) + 1
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('XADD', KEYS[2], id .. '-0', 'type', ARGV[4], 'data', ARGV[5], 'at', now)
redis.call('HSET', KEYS[1], 'last', id, 'token', ARGV[3], 'at', now)
if terminal then
  redis.call('EXPIRE', KEYS[1], ARGV[8])
  redis.call('EXPIRE', KEYS[2], ARGV[8])
  redis.call('HSET', KEYS[1], 'ended', now)
  redis.call('ZADD', KEYS[3], now, ARGV[1])
end
return {id, now}
