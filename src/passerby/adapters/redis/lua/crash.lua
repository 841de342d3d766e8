#!lua flags=allow-oom
-- A worker ended while it worked on some updates. Told twice it is the same.
--
-- KEYS  1 store   hash   generation
--       2 ...    set    "update crash" of the bot, for each update; and the key that never exists
-- ARGV  1 generation   2 for how long it is kept, in seconds   3 ... "update crash" of each

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
for i = 2, #ARGV - 1 do
  redis.call('SADD', KEYS[i], ARGV[i + 1])
  redis.call('EXPIRE', KEYS[i], ARGV[2])
end
return 1
