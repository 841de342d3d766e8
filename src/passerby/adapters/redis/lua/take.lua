#!lua flags=allow-oom
-- Take a lease that is free or has expired, as a living worker. A retry gets the same answer.
--
-- KEYS   1 store      hash   generation, epochs, reborn
--        2 workers   hash   worker -> "number until ttl \n report"
--        3 leases    hash   lease -> "epoch until ttl \n worker"
--        4 epochs    hash   lease -> its newest epoch
--
-- ARGV   1 generation   2 worker   3 ttl (ms)   4 lease
--
-- Returns the epoch, or nil if the lease is not available.

local store, workers, leases, epochs = unpack(KEYS)
local me, ttl, lease = ARGV[2], ARGV[3], ARGV[4]
if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end

--include living.lua

local _, me_till = parsed(redis.call('HGET', workers, me))
if not me_till or now >= me_till then
  return false
end
local epoch, till, holder = parsed(redis.call('HGET', leases, lease))
if holder ~= me then
  local reborn = redis.call('HGET', store, 'reborn')
  -- After a wipe, the last holder of a lease that is not known yet gets time to come back.
  if (epoch and till > now) or (not epoch and reborn and now < reborn + ttl) then
    return false
  end
  epoch = redis.call('HINCRBY', store, 'epochs', 1)
  redis.call('HSET', epochs, lease, string.format('%.0f', epoch))
end
redis.call('HSET', leases, lease, entry(epoch, ttl, me))
return epoch
