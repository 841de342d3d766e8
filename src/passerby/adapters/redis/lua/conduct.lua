#!lua
-- Note what people did in a day, or forget it. This is a cache, independent of the store's generation.
--
-- KEYS  1 conduct      hash   person -> what they did       2 candidates   set   those who are worth a closer look
-- ARGV  1 how long both are kept, in seconds   then, for each person: their number, what they did (empty: forget it),
--       1 for a candidate, otherwise 0

for i = 2, #ARGV, 3 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[i])
  else
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
  if ARGV[i + 2] == '1' then
    redis.call('SADD', KEYS[2], ARGV[i])
  else
    redis.call('SREM', KEYS[2], ARGV[i])
  end
end
for _, key in ipairs(KEYS) do
  if redis.call('TTL', key) == -1 then
    redis.call('EXPIRE', key, ARGV[1])
  end
end
return 1
