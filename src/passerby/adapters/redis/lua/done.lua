#!lua flags=no-writes
-- Return which updates are done, and which of the bot's updates were being worked on when a worker ended.
--
-- KEYS  1 store     hash   generation
--       2 crashes   set    "update crash" of the bot
--       3 ...       done marks for each update
-- ARGV  1 generation   2 ... for each update its bit
--
-- Returns {a bit for each update, all crashes}.

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local done = {}
for i = 3, #KEYS do
  done[i - 2] = redis.call('GETBIT', KEYS[i], ARGV[i - 1])
end
return {done, redis.call('SMEMBERS', KEYS[2])}
