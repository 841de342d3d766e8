#!lua
-- Store what a finished send leaves behind, whole or not at all. Twice is the same as once.
--
-- KEYS   1 life      hash    generation
--        2 chats     hash    open chat -> its anchors, each as "person bot message;"
--        3 outbox    hash    entry -> blob
--        4 order     zset    entry, scored by its number
--        5 map       hash    "bot message" -> blob, of this period
--        6 ...       done marks of each update
--
-- ARGV   1 generation
--        2 for how long done marks are kept, and 3 when to renew that   4 for how long the map is kept, in seconds
--        5 chat of the map   6 chat of the anchor   7 its person   8 its message, as "bot message"
--        9 updates   10 settled entries   11 map fields: how many of each
--       12 ...       bit of each update; settled entry; (field, blob) of each map field

local life, chats, outbox, order, map = unpack(KEYS, 1, 5)
local kept_s, renew_s = tonumber(ARGV[2]), tonumber(ARGV[3])
local updates, settled, fields = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])

if redis.call('HGET', life, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another life has begun')
end

--include anchor.lua

for i = 1, updates do
  local marks = KEYS[5 + i]
  redis.call('SETBIT', marks, ARGV[11 + i], 1)
  if redis.call('TTL', marks) < renew_s then
    redis.call('EXPIRE', marks, kept_s)
  end
end
for i = 1, settled do
  redis.call('HDEL', outbox, ARGV[11 + updates + i])
  redis.call('ZREM', order, ARGV[11 + updates + i])
end
if fields > 0 and redis.call('HEXISTS', chats, ARGV[5]) == 1 then
  local at = 11 + updates + settled
  for i = at + 1, at + 2 * fields, 2 do
    redis.call('HSET', map, ARGV[i], ARGV[i + 1])
  end
  if redis.call('TTL', map) == -1 then
    redis.call('EXPIRE', map, ARGV[4])
  end
end
if ARGV[6] ~= '' then
  anchor(ARGV[6], ARGV[7], ARGV[8])
end
return 1
