#!lua flags=no-writes
-- Return the partner's copy of one message of an open chat.
--
-- KEYS  1 store    hash   generation
--       2 chats   hash   open chat -> its anchors
--       3 map of this period, 4 map of the period before    hash   "bot message" -> blob
-- ARGV  1 generation   2 chat   3 "bot message"

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then
  return false
end
return redis.call('HGET', KEYS[3], ARGV[3]) or redis.call('HGET', KEYS[4], ARGV[3])
