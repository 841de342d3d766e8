#!lua flags=allow-oom
-- The records hold the journal up to a number.
--
-- KEYS  1 life   hash   generation, facts, trimmed, carried   2 journal   stream   number-1 -> f blob
-- ARGV  1 generation   2 number   3 the number after it

local life = KEYS[1]
if redis.call('HGET', life, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another life has begun')
end
redis.call('XTRIM', KEYS[2], 'MINID', ARGV[3])
local facts, trimmed, carried = unpack(redis.call('HMGET', life, 'facts', 'trimmed', 'carried'))
local upto = math.min(tonumber(ARGV[2]), tonumber(facts))
if upto > tonumber(trimmed) then
  redis.call('HSET', life, 'trimmed', string.format('%.0f', upto))
end
if upto > tonumber(carried) then
  redis.call('HSET', life, 'carried', string.format('%.0f', upto))
end
return 1
