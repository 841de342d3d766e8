#!lua flags=no-writes
-- Return the newest pair of an open chat that names a message. See ports.packed_pairs for the pairs.
--
-- KEYS  1 store    hash   generation
--       2 chats   hash   open chat -> its anchors
--       3 map of this period, 4 map of the period before    list   packed pairs
-- ARGV  1 generation   2 chat   3 the message, as pairs name it   4 how long a record is   5 how many pairs to read at once

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then
  return false
end
local side, size, page = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])

local function names(pair)
  local at = string.find(pair, side, 1, true)
  while at do
    local place = (at - 1) % size
    if place == 0 or place == #side then
      return true
    end
    at = string.find(pair, side, at + 1, true)
  end
end

for map = 3, 4 do
  local last = -1
  while true do
    local found = redis.call('LRANGE', KEYS[map], last - page + 1, last)
    for i = #found, 1, -1 do
      if names(found[i]) then
        return found[i]
      end
    end
    if #found < page then
      break
    end
    last = last - page
  end
end
return false
