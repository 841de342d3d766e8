#!lua flags=allow-oom
-- Write a note for whoever does a duty next, or remove it. Running it twice gives the same result.
--
-- KEYS  1 store   hash   generation   2 memos   hash   name -> value   3 epochs   hash   lease -> its newest epoch
--       then the key that never exists
-- ARGV  1 generation   2 name   3 1 to write, 0 to remove   4 value   5 how many fences (0 or 1)   6 lease   7 epoch

local epochs = KEYS[3]
--include fences.lua
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local refused = fenced(5, tonumber(ARGV[5]))
if refused then
  return refused
end
if ARGV[3] == '1' then
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
else
  redis.call('HDEL', KEYS[2], ARGV[2])
end
return 1
