#!lua flags=allow-oom
-- Return a person, their partner, and the anchors of their chat or search. Keeps an idle person in the store for longer;
-- it writes this once a minute at most.
--
-- KEYS  1 store    hash   generation
--       2 people  hash   person -> "version \t told \t kind \t place \t partner \n blob"
--       3 chats   hash   open chat, or search:PERSON -> its anchors
--       4 idle    zset   idle person, scored by when they were last heard of
-- ARGV  1 generation   2 person   3 now (Unix seconds)   4 how often to write that an idle person was heard of, in seconds
--
-- Returns nil for a person not held, {person} for an idle one, else {person, partner, anchors}, each nil if not held.

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local me = redis.call('HGET', KEYS[2], ARGV[2])
if not me then
  return false
end
local kind, place, partner = string.match(me, '^%d+\t%d+\t(%a+)\t([^\t]*)\t([^\n]*)')
if kind == 'chatting' then
  return {me, redis.call('HGET', KEYS[2], partner), redis.call('HGET', KEYS[3], place)}
end
if kind == 'waiting' then
  return {me, false, redis.call('HGET', KEYS[3], 'search:' .. ARGV[2])}
end
if kind == 'idle' then
  local heard = redis.call('ZSCORE', KEYS[4], ARGV[2])
  if not heard or tonumber(ARGV[3]) - tonumber(heard) > tonumber(ARGV[4]) then
    redis.call('ZADD', KEYS[4], ARGV[3], ARGV[2])
  end
end
return {me}
