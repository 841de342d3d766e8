#!lua flags=allow-oom
-- Join the life of the store, or begin one where there is none.
--
-- KEYS  1 life   hash    generation, adopted, facts, trimmed, entries, changes, floor, epochs, reborn
-- ARGV  1 a generation   2 a number that no earlier life's changes have come to   3 whether one was joined before
--
-- Returns {generation, 1 if the records have been adopted}.

local life = KEYS[1]
local t = redis.call('TIME')
if redis.call('HSETNX', life, 'generation', ARGV[1]) == 1 then
  redis.call('HSET', life, 'changes', ARGV[2], 'floor', ARGV[2], 'facts', 0, 'trimmed', 0, 'entries', 0)
  -- Of an earlier life's epochs none is given out again.
  redis.call('HSET', life, 'epochs', string.format('%.0f', t[1] * 1000000 + t[2]))
end
if ARGV[3] == '1' then
  redis.call('HSETNX', life, 'reborn', string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000)))
end
return {redis.call('HGET', life, 'generation'), redis.call('HEXISTS', life, 'adopted')}
