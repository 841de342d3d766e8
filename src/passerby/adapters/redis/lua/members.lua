#!lua flags=no-writes
-- Return the living workers, and the leases that each holds.
--
-- KEYS   1 store   hash   generation, adopted   2 workers   hash   worker -> "number until ttl \n report"
--        3 leases   hash   lease -> "epoch until ttl \n worker"
-- ARGV   1 generation
--
-- Returns {adopted, {}, {worker, number, report, ...}, {lease, worker, ...}}.

local store, workers, leases = unpack(KEYS)
if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end

--include living.lua

--include living_members.lua

local told, held = living_members()
return {redis.call('HEXISTS', store, 'adopted'), {}, told, held}
