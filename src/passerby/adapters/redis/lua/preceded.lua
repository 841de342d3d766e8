#!lua flags=no-writes
-- Return a page of the entries of other owners that are for the same person and older than an entry.
--
-- KEYS  1 store   hash   generation   2 outbox   hash   entry -> see entries.lua
--       3 turns   zset   "person \t number \t entry", sorted by text
-- ARGV  1 generation   2 entry   3 how many at most   4 where the page before ended, or empty
--
-- Returns {the entry's blob, where this page ended or empty for the last one, blob, ...}, the oldest first; nothing if the
-- entry is settled.

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local held = redis.call('HGET', KEYS[2], ARGV[2])
if not held then
  return {}
end
local owner, number, person = string.match(held, '^([^\t]*)\t(%d+)\t(%d+)')
local prefix = person .. '\t'
local from = ARGV[4] == '' and '[' .. prefix or '(' .. ARGV[4]
local found = {string.match(held, '\n(.*)$'), ''}
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[3], from, '(' .. prefix .. number)) do
  local before = redis.call('HGET', KEYS[2], string.sub(member, #prefix + 18))
  if before and string.match(before, '^[^\t]*') ~= owner then
    found[#found + 1] = string.match(before, '\n(.*)$')
    if #found - 2 == tonumber(ARGV[3]) then
      found[2] = member
      break
    end
  end
end
return found
