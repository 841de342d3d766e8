#!lua flags=allow-oom
-- Extend the time that a worker may be silent, and renew the leases that it holds.
--
-- If no heartbeat came within the time that the workers named, either the store or all workers were away. Then every worker
-- and lease that was valid at the last heartbeat gets its full time again, once.
--
-- The store may have lost the newest leases (a wipe, a failover). The workers that took them report them: if the store does
-- not know a lease, or knows only a lower epoch, the worker keeps the lease.
--
-- KEYS   1 store      hash   generation, adopted, epochs, comers, heard, patience, facts, trimmed
--                           latest: each heartbeat raises it, so a process that has seen a higher number knows that the
--                           store has gone back to an older state
--        2 workers   hash   worker -> "number until ttl \n report"
--        3 leases    hash   lease -> "epoch until ttl \n worker"
--        4 epochs    hash   lease -> its newest epoch
--        5 evicted   zset   worker whose entries were inherited, scored by when (ms)
--
-- ARGV   1 generation   2 worker   3 ttl (ms)   4 report   5, 6, 7 as 1, 2, 4 of begin.lua
--        8 ... for each lease that it holds: lease, epoch
--
-- Returns {adopted, {kept lease, ...}, {worker, number, report, ...}, {lease, worker, ...}, newest fact, newest fact that the
-- records have, the server's time (microseconds), latest}. Error: EVICTED.

local store, workers, leases, epochs, evicted = unpack(KEYS)
local me, ttl = ARGV[2], ARGV[3]
if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end

--include rebirth.lua

if has_gone_back(store, ARGV[7]) then
  begin_again(store, workers, leases, ARGV[5], ARGV[6], tonumber(ARGV[7]), 2)
  return redis.error_reply('WIPED another generation has begun')
end
if redis.call('ZSCORE', evicted, me) then
  return redis.error_reply('EVICTED what it had to send is another worker\'s')
end

--include living.lua

--include living_members.lua

local heard, patience = unpack(redis.call('HMGET', store, 'heard', 'patience'))
heard, patience = tonumber(heard or now), tonumber(patience or now)
for _, entries in ipairs(now >= patience and {workers, leases} or {workers}) do
  local found = redis.call('HGETALL', entries)
  for i = 1, #found, 2 do
    local number, till, rest, ttl = parsed(found[i + 1])
    if now >= patience and till > heard then
      redis.call('HSET', entries, found[i], entry(number, ttl, rest))
    elseif now >= till and entries == workers then
      redis.call('HDEL', workers, found[i])
    end
  end
end
patience = math.max(now >= patience and 0 or patience, now + ttl)
redis.call('HSET', store, 'heard', string.format('%.0f', now), 'patience', string.format('%.0f', patience))
local number = (parsed(redis.call('HGET', workers, me))) or redis.call('HINCRBY', store, 'comers', 1)
redis.call('HSET', workers, me, entry(number, ttl, ARGV[4]))

local kept = {}
for i = 8, #ARGV, 2 do
  local lease, epoch = ARGV[i], tonumber(ARGV[i + 1])
  local newest = tonumber(redis.call('HGET', epochs, lease) or 0)
  local _, _, holder = parsed(redis.call('HGET', leases, lease))
  if epoch > newest or (epoch == newest and (holder == me or not holder)) then
    redis.call('HSET', leases, lease, entry(epoch, ttl, me))
    redis.call('HSET', epochs, lease, ARGV[i + 1])
    if epoch > tonumber(redis.call('HGET', store, 'epochs') or 0) then
      redis.call('HSET', store, 'epochs', ARGV[i + 1])
    end
    kept[#kept + 1] = lease
  end
end
local latest = string.format('%.0f', math.max(tonumber(redis.call('HGET', store, 'latest') or 0) + 1, now_us))
redis.call('HSET', store, 'latest', latest)
local told, held = living_members()
local facts, trimmed = unpack(redis.call('HMGET', store, 'facts', 'trimmed'))
local clock = string.format('%.0f', now_us)
return {redis.call('HEXISTS', store, 'adopted'), kept, told, held, facts or '0', trimmed or '0', clock, latest}
