#!lua flags=no-writes
-- KEYS  1 store      hash     generation
--       2 crashes   set      "update crash" of the bot
--       3 ...       done marks of each update
-- ARGV  1 generation   2 ... bit of each update
--
-- Returns {a bit for each update, all of the crashes}.

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local done = {}
for i = 3, #KEYS do
  done[i - 2] = redis.call('GETBIT', KEYS[i], ARGV[i - 1])
end
return {done, redis.call('SMEMBERS', KEYS[2])}
