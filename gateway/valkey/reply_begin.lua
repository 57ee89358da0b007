-- A reply begins: after this step all that it needs is there, or nothing of it. Out comes 'begun'; or 'known' and
-- the id of the reply that the Idempotency-Key stands for; or why not: 'reused' (the key came with another body),
-- 'caller', 'all' (there is no room), or 'budget' with the tokens that are used and that others have reserved.
-- KEYS: its claim, orders, its log, its events, all replies, replies in the making, those of the caller, tokens
-- used of the day, tokens reserved of the day and model, and the Idempotency-Key where there is one.
-- ARGV: what each store says of it, in the order of the locals below (see `begun` of each).
local claim, orders, log, events, replies, making, making_of_caller, used_of_day, reserved_of_day, repeated =
  unpack(KEYS)
local reply_id, group, process, record, claim_seconds, owner, writer, event_type, event, log_seconds,
  most_of_caller, most_of_all, longest_seconds, model, tokens, budget, day_seconds,
  digest, log_prefix, key_ms = unpack(ARGV)
tokens, budget = tonumber(tokens), tonumber(budget)

-- The same call again, because its answer was lost.
if redis.call('EXISTS', claim) == 1 then return {'begun'} end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_ms = string.format('%d', now + longest_seconds * 1000)

if repeated then
  local known_digest, known = unpack(redis.call('HMGET', repeated, 'digest', 'reply'))
  if known and redis.call('EXISTS', log_prefix .. known) == 1 then
    if known_digest ~= digest then return {'reused'} end
    return {'known', known}
  end
end

-- What a process that died held for longer than any reply lasts is free.
for _, key in ipairs({making, making_of_caller}) do redis.call('ZREMRANGEBYSCORE', key, '-inf', now) end
if redis.call('ZCARD', making_of_caller) >= tonumber(most_of_caller) then return {'caller'} end
if redis.call('ZCARD', making) >= tonumber(most_of_all) then return {'all'} end

if tokens > 0 then
  local reserved = 0
  local held = redis.call('HGETALL', reserved_of_day)
  for i = 1, #held, 2 do
    local others_tokens, others_until = string.match(held[i + 1], '(%d+) (%d+)')
    if tonumber(others_until) <= now then
      redis.call('HDEL', reserved_of_day, held[i])
    else
      reserved = reserved + others_tokens
    end
  end
  local used = tonumber(redis.call('HGET', used_of_day, model) or 0)
  if budget >= 0 and used + reserved + tokens > budget then return {'budget', used, reserved} end
  -- So that whoever lists the day's budgets sees the model.
  redis.call('HINCRBY', used_of_day, model, 0)
  redis.call('EXPIRE', used_of_day, day_seconds)
  redis.call('HSET', reserved_of_day, reply_id, string.format('%d', tokens) .. ' ' .. until_ms)
  redis.call('EXPIRE', reserved_of_day, day_seconds)
end

for _, key in ipairs({making, making_of_caller}) do
  redis.call('ZADD', key, until_ms, reply_id)
  redis.call('EXPIRE', key, math.ceil(longest_seconds) + 60)
end

redis.call('HSET', log, 'owner', owner, 'hands', 1, 'writer', writer, 'last', 1, 'at', now)
redis.call('EXPIRE', log, log_seconds)
redis.call('XADD', events, '1-0', 'type', event_type, 'data', event, 'at', now)
redis.call('EXPIRE', events, log_seconds)
redis.call('ZADD', replies, '+inf', reply_id)

-- There already, but on a server that forgot it.
redis.pcall('XGROUP', 'CREATE', orders, group, '0', 'MKSTREAM')
local entry = redis.call('XADD', orders, '*', 'reply', reply_id, 'record', record)
redis.call('XCLAIM', orders, group, process, 0, entry, 'FORCE', 'JUSTID', 'LASTID', entry)
redis.call('HSET', claim, 'entry', entry, 'holder', process)
redis.call('EXPIRE', claim, claim_seconds)

if repeated then
  redis.call('HSET', repeated, 'digest', digest, 'reply', reply_id)
  redis.call('PEXPIRE', repeated, key_ms)
end
return {'begun'}
