#!lua flags=allow-oom
-- The first call on every connection. Another generation begins if the newest writes may be missing: the server is another
-- one than before (restarted, a replica that took over, a restored copy), or it holds less than this process has seen.
--
-- KEYS  1 store   hash   as in begin.lua, and run   2 workers   hash   3 leases   hash   see heartbeat.lua
-- ARGV  1 the server's run, or empty   2 the run that the whole store has moved from, if it has moved
--       3 a name for a new generation   4 a number above all change numbers of earlier generations
--       5 the latest state that this process has seen   6 1 if a restarted server may lack acknowledged writes
--       7 1 if the store has moved, and some of its keys have not come along
--
-- Returns the same as begin.lua, or nil if there is no generation.

local store, workers, leases = unpack(KEYS)
local generation, run, facts = unpack(redis.call('HMGET', store, 'generation', 'run', 'facts'))
if not generation then
  return false
end

--include rebirth.lua

local is_another = ARGV[1] ~= '' and run ~= ARGV[1]
if is_another then
  redis.call('HSET', store, 'run', ARGV[1])
end
if has_gone_back(store, ARGV[5]) then
  begin_again(store, workers, leases, ARGV[3], ARGV[4], tonumber(ARGV[5]), 2)
elseif is_another and ARGV[7] == '1' then
  begin_again(store, workers, leases, ARGV[3], ARGV[4], 0, 2)
elseif is_another and run ~= ARGV[2] and (run or facts ~= '0') then
  begin_again(store, workers, leases, ARGV[3], ARGV[4], 0, ARGV[6] == '1' and 2 or 1)
end
return state_of(store)
