#!lua flags=no-writes
-- Return a page of the entries that an owner still has to send, the oldest first.
--
-- KEYS  1 store   hash   generation   2 outbox   hash   entry -> see entries.lua
--       3 order   zset   "owner \t number \t entry", sorted by text
-- ARGV  1 generation   2 owner   3 begin after this number, or empty   4 how many
--       5 only entries that this call inherited, or empty for all
--
-- Returns {the last number of the page, blob, ...}; nil when there is nothing more.

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local prefix = ARGV[2] .. '\t'
-- ':' sorts after the digits, so "(owner \t number :" is beyond every entry with that number.
local from = ARGV[3] == '' and '[' .. prefix or '(' .. prefix .. ARGV[3] .. ':'
local page = redis.call('ZRANGEBYLEX', KEYS[3], from, '(' .. prefix .. ':', 'LIMIT', 0, ARGV[4])
if #page == 0 then
  return false
end
local answer = {string.sub(page[#page], #prefix + 1, #prefix + 16)}
for _, member in ipairs(page) do
  local held = redis.call('HGET', KEYS[2], string.sub(member, #prefix + 18))
  local head = held and string.find(held, '\n', 1, true)
  if head and (ARGV[5] == '' or string.match(string.sub(held, 1, head - 1), '[^\t]*$') == ARGV[5]) then
    answer[#answer + 1] = string.sub(held, head + 1)
  end
end
return answer
