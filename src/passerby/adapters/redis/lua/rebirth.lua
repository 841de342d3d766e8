-- Included by begin.lua, handshake.lua and heartbeat.lua: another store over what is kept, because the newest that was stored
-- may be missing. It has a name of its own, so everybody notices, and numbers of the journal are counted for themselves.
-- Nobody is served in it until one worker has compared it with the records (`adopted`).
--
-- Numbers of every kind go on beyond all that may have been given out. Who sends heartbeats and who holds what is forgotten, as
-- after a wipe: whoever lives comes back and says so.

local t = redis.call('TIME')
local now_us = t[1] * 1000000 + t[2]

local function begin_again(store, workers, leases, generation, changes, known, doubt)
  local held = redis.call('HMGET', store, 'adopted', 'doubt', 'epochs', 'changes', 'latest')
  local function beyond(number, at_least)
    return string.format('%.0f', math.max(tonumber(number or 0) + 1000000, at_least))
  end
  if held[1] or held[2] then
    redis.call('HSET', store, 'doubt', math.max(doubt, tonumber(held[2] or 0)))
  end
  local floor = beyond(held[4], tonumber(changes))
  redis.call('HSET', store, 'generation', generation, 'trimmed', 0, 'epochs', beyond(held[3], now_us),
    'changes', floor, 'floor', floor, 'latest', beyond(math.max(tonumber(held[5] or 0), known), now_us),
    'reborn', string.format('%.0f', math.floor(now_us / 1000)))
  redis.call('HINCRBY', store, 'facts', 1000000)
  redis.call('HINCRBY', store, 'entries', 1000000)
  redis.call('HDEL', store, 'adopted', 'heard', 'patience', 'mender')
  redis.call('DEL', workers, leases)
end

-- Whether somebody has seen a later state of the store than this is.
local function has_gone_back(store, known)
  return tonumber(known) > tonumber(redis.call('HGET', store, 'latest') or 0)
end

local function standing(store)
  local held = redis.call('HMGET', store, 'generation', 'adopted', 'doubt', 'latest')
  return {held[1], held[2] and 1 or 0, tonumber(held[3] or 0), held[4] or '0'}
end
