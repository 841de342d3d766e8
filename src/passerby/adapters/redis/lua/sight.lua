#!lua
-- Note what was seen, and return a lower bound of how many people it was seen with. This is a cache, independent of the
-- store's generation.
--
-- KEYS  1 now   string   the table of this period, one bit for each mark   2 before   string   the last period's table
-- ARGV  1 how long a table is kept, in seconds   2 ...   numbers of bits; a slot has 64 bits
--
-- Returns the number of bits set in the emptiest of the slots; of the two periods, the higher number.

local now, before = 64, 64
for i = 2, #ARGV do
  local mark = tonumber(ARGV[i])
  local slot = math.floor(mark / 64) * 8
  redis.call('SETBIT', KEYS[1], ARGV[i], 1)
  now = math.min(now, redis.call('BITCOUNT', KEYS[1], slot, slot + 7))
  before = math.min(before, redis.call('BITCOUNT', KEYS[2], slot, slot + 7))
end
if redis.call('TTL', KEYS[1]) < 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[1])
end
return math.max(now, before)
