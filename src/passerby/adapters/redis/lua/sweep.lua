#!lua flags=allow-oom
-- Remove idle people who have not been heard of for a while, if the records hold them. Keep the others for another while.
--
-- KEYS  1 store    hash   generation, recorded
--       2 people  hash   person -> "version \t told \t kind \t place \t partner \n blob"
--       3 idle    zset   idle person, scored by when they were last heard of
-- ARGV  1 generation   2 now   3 remove people last heard of before this (Unix seconds)   4 how many at most
--
-- Returns how many were looked at.

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local recorded = tonumber(redis.call('HGET', KEYS[1], 'recorded'))
local old = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. ARGV[3], 'LIMIT', 0, ARGV[4])
for _, person in ipairs(old) do
  local held = redis.call('HGET', KEYS[2], person)
  local told = held and tonumber(string.match(held, '^%d+\t(%d+)'))
  if told and told > recorded then
    redis.call('ZADD', KEYS[3], ARGV[2], person)
  else
    redis.call('HDEL', KEYS[2], person)
    redis.call('ZREM', KEYS[3], person)
  end
end
return #old
