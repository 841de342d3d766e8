#!lua flags=no-writes
-- Whether an older entry for the same person waits in another owner's hands.
--
-- KEYS  1 life   hash   generation   2 outbox   hash   entry -> see entries.lua
--       3 turns   zset   "person \t number \t entry", by its letters
-- ARGV  1 generation   2 entry

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another life has begun')
end
local held = redis.call('HGET', KEYS[2], ARGV[2])
if not held then
  return 0
end
local owner, number, person = string.match(held, '^([^\t]*)\t(%d+)\t(%d+)')
local prefix = person .. '\t'
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[3], '[' .. prefix, '(' .. prefix .. number)) do
  local before = redis.call('HGET', KEYS[2], string.sub(member, #prefix + 18))
  if string.match(before, '^[^\t]*') ~= owner then
    return 1
  end
end
return 0
