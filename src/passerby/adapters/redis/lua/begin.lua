#!lua flags=allow-oom
-- Join the generation of the store. Begin one if there is none, or if this one is older than a state seen before.
--
-- KEYS  1 store   hash    generation, adopted, doubt, facts, trimmed, recorded, entries, changes, floor, epochs, latest,
--                        reborn
--       2 workers   hash   3 leases   hash   see heartbeat.lua   4 journal   stream   number-1 -> f blob
--
-- A newer release may keep what an older one cannot read, or would drop when it writes. So an older release is refused. The
-- first process of a newer release begins another generation; then the older processes that are running ask, too.
--
-- ARGV  1 a name for a new generation   2 a number above all change numbers of earlier generations
--       3 1 if this process has joined a generation before   4 the latest state that this process has seen (see `keys`)
--       5 our release   6 1 if this process only looks: then it begins no other generation for an older release's store
--
-- Returns {generation, 1 if the records have been adopted, doubt, latest, the server's time (microseconds)}.

local store, workers, leases, journal = unpack(KEYS)

--include rebirth.lua

-- The last number that the journal ever had. The records may have all of it, so that none is left to read.
local function last_number(of)
  local info = redis.call('EXISTS', of) == 1 and redis.call('XINFO', 'STREAM', of) or {}
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
      return string.match(info[i + 1], '^%d+')
    end
  end
  return 0
end

local release, newest = tonumber(ARGV[5]), tonumber(redis.call('HGET', store, 'release') or 0)
if newest > release then
  return redis.error_reply('NEWER a newer release uses this store')
end
if redis.call('HSETNX', store, 'generation', ARGV[1]) == 1 then
  redis.call('HSET', store, 'changes', ARGV[2], 'floor', ARGV[2], 'trimmed', 0, 'recorded', 0, 'entries', 0)
  -- A store that was lost only in part may still have the journal, perhaps an empty one. A number is not used again.
  redis.call('HSET', store, 'facts', last_number(journal))
  -- No epoch of an earlier generation may be given out again.
  redis.call('HSET', store, 'epochs', string.format('%.0f', now_us))
  redis.call('HSET', store, 'latest', string.format('%.0f', math.max(now_us, tonumber(ARGV[4]) + 1)))
elseif has_gone_back(store, ARGV[4]) then
  begin_again(store, workers, leases, ARGV[1], ARGV[2], tonumber(ARGV[4]), 2)
elseif newest < release and ARGV[6] == '0' then
  begin_again(store, workers, leases, ARGV[1], ARGV[2], 0, 1)
end
if ARGV[6] == '0' then
  redis.call('HSET', store, 'release', release)
end
if ARGV[3] == '1' then
  redis.call('HSETNX', store, 'reborn', string.format('%.0f', math.floor(now_us / 1000)))
end
return state_of(store)
