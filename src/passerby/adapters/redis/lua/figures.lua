#!lua flags=no-writes
-- Count what the store holds.
--
-- KEYS  1 store   hash   generation   2 waiting   zset   3 chats   hash   4 outbox   hash   5 journal   stream
-- ARGV  1 generation
--
-- Returns {people who wait, chats, entries, facts}. `chats` also holds a field for each waiting person, for the anchor of
-- the search; these are not counted as chats.

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local waiting = redis.call('ZCARD', KEYS[2])
return {waiting, redis.call('HLEN', KEYS[3]) - waiting, redis.call('HLEN', KEYS[4]), redis.call('XLEN', KEYS[5])}
