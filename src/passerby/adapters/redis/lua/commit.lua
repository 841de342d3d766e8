#!lua
-- Store a commit whole, or nothing of it. Refused before it starts when memory is full (that is what the first line
-- does), so that no half can be left behind. All checks stand before the first write.
--
-- KEYS   1 life      hash    generation, facts, trimmed, entries, changes, floor
--        2 people    hash    person -> "version \t told \t kind \t place \t partner \n blob"
--        3 chats     hash    open chat -> its anchors
--        4 idle      zset    idle person, scored by when they were last heard of
--        5 waiting   zset    "pool \t person", scored by the number of the change
--        6 gone      zset    the same, for those who no longer wait
--        7 tickets   hash    "pool \t person" -> "version \n blob"
--        8 pools     hash    pool -> how many wait
--        9 outbox    hash    entry -> blob
--       10 order     zset    entry, scored by its number
--       11 journal   stream  number-1 -> f blob
--       12 stored    string  there if this very call was stored: its answer was lost, and it is asked again
--       13 ...       done marks of each update, then the message maps of each ended chat
--
-- ARGV   1 generation   2 now (Unix seconds)   3 channel for news   4 how many are remembered of who no longer waits
--        5 for how long done marks are kept, and 6 when to renew that, in seconds   7 for how long `stored` is kept
--        8 updates   9 ended chats   10 people   11 entries   12 facts   13 settled entries   14 maps: how many of each
--       15 ...       bit of each update; chat; (person, version, "kind \t place \t partner", ticket, blob) of each
--                    person; (entry, blob) of each entry; blob of each fact; settled entry
--
-- Returns 1 stored, 0 stale, 2 done already.

local life, people, chats, idle, waiting, gone, tickets, pools = unpack(KEYS, 1, 8)
local outbox, order, journal, stored = unpack(KEYS, 9, 12)
local now, channel, tombstones = ARGV[2], ARGV[3], tonumber(ARGV[4])
local kept_s, renew_s = tonumber(ARGV[5]), tonumber(ARGV[6])
local updates, ended, puts, entries, facts, settled, maps =
  tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13]),
  tonumber(ARGV[14])
local bits_at = 14
local ended_at = bits_at + updates
local puts_at = ended_at + ended
local entries_at = puts_at + 5 * puts
local facts_at = entries_at + 2 * entries
local settled_at = facts_at + facts

if redis.call('HGET', life, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another life has begun')
end
-- What is said to be stored is written to here and below, so that whoever waits for replicas waits for this as well.
if redis.call('EXISTS', stored) == 1 then
  redis.call('EXPIRE', stored, ARGV[7])
  return 1
end

local undone = 0
for i = 1, updates do
  undone = undone + 1 - redis.call('GETBIT', KEYS[12 + i], ARGV[bits_at + i])
end
if updates > 0 and undone == 0 then
  redis.call('EXPIRE', KEYS[13], kept_s)
  return 2
end

local held = {}
for i = 1, puts do
  local at = puts_at + 5 * (i - 1)
  held[i] = redis.call('HGET', people, ARGV[at + 1])
  local version = held[i] and tonumber(string.match(held[i], '^%d+')) or 0
  if version ~= tonumber(ARGV[at + 2]) - 1 then
    return 0
  end
end

--include take_in.lua

redis.call('SET', stored, '', 'EX', ARGV[7])
for i = 1, updates do
  local marks = KEYS[12 + i]
  redis.call('SETBIT', marks, ARGV[bits_at + i], 1)
  if redis.call('TTL', marks) < renew_s then
    redis.call('EXPIRE', marks, kept_s)
  end
end
for i = 1, ended do
  redis.call('HDEL', chats, ARGV[ended_at + i])
end
for i = 1, maps do
  redis.call('UNLINK', KEYS[12 + updates + i])
end
local told = string.format('%.0f', redis.call('HINCRBY', life, 'facts', facts))
for i = 1, puts do
  local at = puts_at + 5 * (i - 1)
  take_in(held[i], ARGV[at + 1], ARGV[at + 2], told, ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
end
for i = 1, entries do
  local at = entries_at + 2 * (i - 1)
  redis.call('HSET', outbox, ARGV[at + 1], ARGV[at + 2])
  redis.call('ZADD', order, 'NX', redis.call('HINCRBY', life, 'entries', 1), ARGV[at + 1])
end
for i = 1, facts do
  redis.call('XADD', journal, string.format('%.0f-1', told - facts + i), 'f', ARGV[facts_at + i])
end
for i = 1, settled do
  redis.call('HDEL', outbox, ARGV[settled_at + i])
  redis.call('ZREM', order, ARGV[settled_at + i])
end
tell()
return 1
