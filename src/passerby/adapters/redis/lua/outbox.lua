#!lua flags=no-writes
-- A page of what is still to be sent, oldest first.
--
-- KEYS  1 life   hash   generation   2 outbox   hash   entry -> blob   3 order   zset   entry, scored by its number
-- ARGV  1 generation   2 the number after which to begin   3 how many
--
-- Returns {the last number of the page, blob, ...}; nil when there is nothing more.

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another life has begun')
end
local page = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
if #page == 0 then
  return false
end
local answer = {page[#page]}
for i = 1, #page, 2 do
  answer[#answer + 1] = redis.call('HGET', KEYS[2], page[i])
end
return answer
