#!lua flags=allow-oom
-- Said first on every connection. Where the server is not the one that it was (it was started again, a replica has
-- taken over, a copy was put back), or holds less than somebody has seen, the last that was stored may be missing: then
-- another store begins.
--
-- KEYS  1 store   hash   as in begin.lua, and run   2 workers   hash   3 leases   hash   see heartbeat.lua
-- ARGV  1 the run of the server, or empty   2 the run that all has moved here from, if it has
--       3 a generation   4 a number that no earlier generation's changes have come to   5 the latest that was seen
--       6 whether a server that starts again may have lost what was acknowledged
--
-- Returns what begin.lua does; nil if there is no generation.

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
elseif is_another and run ~= ARGV[2] and (run or facts ~= '0') then
  begin_again(store, workers, leases, ARGV[3], ARGV[4], 0, ARGV[6] == '1' and 2 or 1)
end
return standing(store)
