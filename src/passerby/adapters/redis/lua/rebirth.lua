-- Included by begin.lua, handshake.lua and heartbeat.lua. Begins another generation over the data in the store, because the
-- newest writes may be missing. The generation has its own name, so every process notices. It counts the journal from
-- a higher number. Nobody is served in it until one worker has compared it with the records (`adopted`).
--
-- Numbers of every kind continue above all that may have been given out. Workers and leases are forgotten, as after a wipe:
-- workers that are still alive report again.

local t = redis.call('TIME')
local now_us = t[1] * 1000000 + t[2]

local function begin_again(store, workers, leases, generation, changes, known, doubt)
  local held = redis.call('HMGET', store, 'adopted', 'doubt', 'epochs', 'changes', 'latest')
  local function beyond(number, at_least)
    return string.format('%.0f', math.max(tonumber(number or 0) + 1000000, at_least))
  end
  -- If one generation ends before it is sound, its workers are still those of the generation before.
  local former = not held[1] and redis.call('HGET', store, 'former') or ''
  local found = redis.call('HGETALL', workers)
  for i = 1, #found, 2 do
    if tonumber(string.match(found[i + 1], '^%d+ (%d+)')) > now_us / 1000 then
      former = former .. ' ' .. found[i]
    end
  end
  redis.call('HSET', store, 'former', former)
  if held[1] or held[2] then
    redis.call('HSET', store, 'doubt', math.max(doubt, tonumber(held[2] or 0)))
  end
  local floor = beyond(held[4], tonumber(changes))
  redis.call('HSET', store, 'generation', generation, 'trimmed', 0, 'epochs', beyond(held[3], now_us),
    'changes', floor, 'floor', floor, 'latest', beyond(math.max(tonumber(held[5] or 0), known), now_us),
    'reborn', string.format('%.0f', math.floor(now_us / 1000)))
  redis.call('HINCRBY', store, 'facts', 1000000)
  redis.call('HINCRBY', store, 'entries', 1000000)
  redis.call('HDEL', store, 'adopted', 'heard', 'patience', 'mender', 'roll')
  redis.call('DEL', workers, leases)
end

-- Whether some process has seen a later state than the store has now.
local function has_gone_back(store, known)
  return tonumber(known) > tonumber(redis.call('HGET', store, 'latest') or 0)
end

local function state_of(store)
  local held = redis.call('HMGET', store, 'generation', 'adopted', 'doubt', 'latest')
  return {held[1], held[2] and 1 or 0, tonumber(held[3] or 0), held[4] or '0', string.format('%.0f', now_us)}
end
