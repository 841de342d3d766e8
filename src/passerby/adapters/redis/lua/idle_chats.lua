#!lua flags=no-writes
-- Return the open chats in which nothing has been delivered since a given time, the longest silence first.
--
-- KEYS  1 store   hash   generation   2 chats   hash   open chat -> "person,person;" and its anchors
--       3 idle_chats   zset   open chat, scored by its last message (see keys.py)
-- ARGV  1 generation   2 the highest score   3 how many
--
-- Returns {chat, score, "person,person;...", ...}.

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local found = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[2], 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local answer = {}
for i = 1, #found, 2 do
  answer[#answer + 1] = found[i]
  answer[#answer + 1] = found[i + 1]
  answer[#answer + 1] = redis.call('HGET', KEYS[2], found[i])
end
return answer
