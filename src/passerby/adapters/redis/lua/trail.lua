#!lua flags=no-writes
-- Return all entries for one person, of any owner, the oldest first.
--
-- KEYS  1 store   hash   generation   2 outbox   hash   entry -> see entries.lua
--       3 turns   zset   "person \t number \t entry", sorted by text
-- ARGV  1 generation   2 person
--
-- Returns {blob, ...}.

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local prefix = ARGV[2] .. '\t'
local found = {}
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[3], '[' .. prefix, '(' .. prefix .. ':')) do
  local held = redis.call('HGET', KEYS[2], string.sub(member, #prefix + 18))
  if held then
    found[#found + 1] = string.match(held, '\n(.*)$')
  end
end
return found
