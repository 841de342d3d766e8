#!lua flags=allow-oom
-- Give a lease back, if the worker still holds it. Without a lease: leave, which gives all leases back and removes the
-- worker from the living ones. Then nobody holds the lease, and its epoch stays known.
--
-- KEYS   1 store   hash   generation   2 workers   hash   worker -> "number until ttl \n report"
--        3 leases   hash   lease -> "epoch until ttl \n worker"
-- ARGV   1 generation   2 worker   3 ... lease, epoch

local store, workers, leases = unpack(KEYS)
local me = ARGV[2]
if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end

--include living.lua

local found
if ARGV[3] then
  found = {ARGV[3], redis.call('HGET', leases, ARGV[3])}
else
  redis.call('HDEL', workers, me)
  found = redis.call('HGETALL', leases)
end
for i = 1, #found, 2 do
  local epoch, _, holder = parsed(found[i + 1])
  if holder == me and epoch == tonumber(ARGV[4] or epoch) then
    redis.call('HSET', leases, found[i], entry(epoch, 0, ''))
  end
end
return 1
