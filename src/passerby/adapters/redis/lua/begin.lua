#!lua flags=allow-oom
-- Join the generation of the store, or begin one where there is none, or where this one is older than what was seen before.
--
-- KEYS  1 store   hash    generation, adopted, doubt, facts, trimmed, carried, entries, changes, floor, epochs, latest,
--                        reborn
--       2 workers   hash   3 leases   hash   see heartbeat.lua
-- ARGV  1 a generation   2 a number that no earlier generation's changes have come to   3 whether one was joined before
--       4 the latest that was seen (see `keys`)
--
-- Returns {generation, 1 if the records have been adopted, doubt, latest}.

local store, workers, leases = unpack(KEYS)

--include rebirth.lua

if redis.call('HSETNX', store, 'generation', ARGV[1]) == 1 then
  redis.call('HSET', store, 'changes', ARGV[2], 'floor', ARGV[2], 'facts', 0, 'trimmed', 0, 'carried', 0, 'entries', 0)
  -- Of an earlier generation's epochs none is given out again.
  redis.call('HSET', store, 'epochs', string.format('%.0f', now_us))
  redis.call('HSET', store, 'latest', string.format('%.0f', math.max(now_us, tonumber(ARGV[4]) + 1)))
elseif has_gone_back(store, ARGV[4]) then
  begin_again(store, workers, leases, ARGV[1], ARGV[2], tonumber(ARGV[4]), 2)
end
if ARGV[3] == '1' then
  redis.call('HSETNX', store, 'reborn', string.format('%.0f', math.floor(now_us / 1000)))
end
return standing(store)
