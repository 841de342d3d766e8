#!lua flags=allow-oom
-- Join the life of the store, or begin one where there is none.
--
-- KEYS  1 life   hash    generation, adopted, facts, trimmed, entries, changes, floor
-- ARGV  1 a generation   2 a number that no earlier life's changes have come to
--
-- Returns {generation, 1 if the records have been adopted}.

local life = KEYS[1]
if redis.call('HSETNX', life, 'generation', ARGV[1]) == 1 then
  redis.call('HSET', life, 'changes', ARGV[2], 'floor', ARGV[2], 'facts', 0, 'trimmed', 0, 'entries', 0)
end
return {redis.call('HGET', life, 'generation'), redis.call('HEXISTS', life, 'adopted')}
