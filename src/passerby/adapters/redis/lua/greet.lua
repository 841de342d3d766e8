#!lua flags=allow-oom
-- Said first on every connection. Where the server is not the one that it was (it was started again, or a replica has
-- taken over), the last that was stored may be missing. The numbers go on beyond all that may have been given out, so
-- that none is given twice: the records would pass over a fact whose number they have seen.
--
-- KEYS  1 life   hash   facts, entries, epochs, changes, floor, run
-- ARGV  1 the run of the server   2 how many numbers are left out
--
-- Returns 1 if numbers were left out.

local life, gap = KEYS[1], ARGV[2]
local facts, run = unpack(redis.call('HMGET', life, 'facts', 'run'))
if not facts or run == ARGV[1] then
  return 0
end
redis.call('HSET', life, 'run', ARGV[1])
if not run and facts == '0' then
  return 0
end
redis.call('HINCRBY', life, 'facts', gap)
redis.call('HINCRBY', life, 'entries', gap)
redis.call('HINCRBY', life, 'epochs', gap)
redis.call('HSET', life, 'floor', string.format('%.0f', redis.call('HINCRBY', life, 'changes', gap)))
return 1
