#!lua flags=allow-oom
-- Note that the records hold the journal up to a number, and remove that part.
--
-- KEYS  1 store   hash   generation, facts, trimmed, recorded   2 journal   stream   number-1 -> f blob
-- ARGV  1 generation   2 number   3 the number after it

local store = KEYS[1]
if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
redis.call('XTRIM', KEYS[2], 'MINID', ARGV[3])
local facts, trimmed, recorded = unpack(redis.call('HMGET', store, 'facts', 'trimmed', 'recorded'))
local upto = math.min(tonumber(ARGV[2]), tonumber(facts or 0))
if upto > tonumber(trimmed or 0) then
  redis.call('HSET', store, 'trimmed', string.format('%.0f', upto))
end
if upto > tonumber(recorded or 0) then
  redis.call('HSET', store, 'recorded', string.format('%.0f', upto))
end
return 1
