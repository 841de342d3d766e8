#!lua flags=allow-oom
-- Record that a worker ended while it worked on some updates. Running it twice gives the same result.
--
-- KEYS  1 store   hash   generation
--       2 ...    set    for each update, "update crash" of its bot; then the key that never exists
-- ARGV  1 generation   2 how long this is kept, in seconds   3 ... for each update, "update crash"

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
for i = 2, #ARGV - 1 do
  redis.call('SADD', KEYS[i], ARGV[i + 1])
  redis.call('EXPIRE', KEYS[i], ARGV[2])
end
return 1
