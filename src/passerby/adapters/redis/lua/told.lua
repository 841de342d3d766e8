#!lua flags=no-writes
-- Whether nothing has to tell this person about an open chat any more: they were told, nothing in the outbox will tell them,
-- or the chat is over.
--
-- KEYS  1 store   hash   generation   2 chats   hash   open chat -> "person,person;" and its anchors
--       3 outbox   hash   entry -> see entries.lua   4 turns   zset   "person \t number \t entry", sorted by text
-- ARGV  1 generation   2 chat   3 person

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local anchors = redis.call('HGET', KEYS[2], ARGV[2])
if not anchors or string.find(';' .. anchors, ';' .. ARGV[3] .. ' ', 1, true) then
  return 1
end
local prefix = ARGV[3] .. '\t'
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[4], '[' .. prefix, '(' .. prefix .. ':')) do
  local held = redis.call('HGET', KEYS[3], string.sub(member, #prefix + 18))
  if held and string.match(held, '^[^\t]*\t%d+\t%d+\t([^\t]*)') == ARGV[2] then
    return 0
  end
end
return 1
