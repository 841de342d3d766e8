#!lua
-- Store a whole commit or nothing. Redis refuses to start the script when memory is full, because the first line has no
-- `allow-oom`. All checks come before the first write. So no half of a commit can be left behind.
--
-- KEYS   1 store      hash    generation, facts, trimmed, entries, changes, floor
--        2 people    hash    person -> "version \t told \t kind \t place \t partner \n blob"
--        3 chats     hash    open chat -> its anchors
--        4 idle      zset    idle person, scored by when they were last heard of
--        5 waiting   zset    "pool \t person", scored by the number of the change
--        6 gone      zset    the same, for people who have stopped waiting
--        7 tickets   hash    "pool \t person" -> "version \n blob"
--        8 pools     hash    pool -> how many wait
--        9 idle_chats   zset   open chat, scored by its last message
--       10 outbox    hash    entry -> see entries.lua
--       11 order     zset    "owner \t number \t entry", sorted by text
--       12 turns     zset    "person \t number \t entry", sorted by text
--       13 epochs    hash    lease -> its newest epoch
--       14 journal   stream  number-1 -> f blob
--       15 stored    string  exists if this call was stored before: its answer was lost, and this is the retry
--       16 ...       done marks for each update, then for each ended chat its three message maps and `received`: the
--                    copies that the maps name, for evidence
--
-- ARGV   1 generation   2 now (Unix seconds)   3 pub/sub channel   4 how many members `gone` keeps
--        5 how long done marks are kept, and 6 when to renew them, in seconds   7 how long `stored` is kept, in seconds
--        8 how many facts the journal may hold   9 the owner of the entries   10 the score of a chat without a message
--       11 to 18 how many of each follow: 11 updates   12 ended chats   13 people   14 entries   15 facts
--          16 settled entries   17 maps and `received`   18 fences
--       19 1 if puts may replace any version (then only people with an empty blob are compared)
--       20 ...  for each update its bit; each ended chat; for each person: person, version, "kind \t place \t partner",
--               ticket, blob (an empty blob: only compare the version); for each entry: entry, person, anchors, blob;
--               for each fact its blob; each settled entry; for each fence: lease, epoch
--
-- Returns 1 stored, 0 stale, 2 already done. Errors: FENCED; CROWDED if the journal is full.

-- A record of a map has RECORD bytes. The copy is the second part of SIDE bytes (see ports.packed_pairs).
local RECORD, SIDE, RECEIVED_S = 32, 12, 93600

local store, people, chats, idle, waiting, gone, tickets, pools = unpack(KEYS, 1, 8)
local idle_chats, outbox, order, turns, epochs, journal, stored = unpack(KEYS, 9, 15)
local now, channel, tombstones = ARGV[2], ARGV[3], tonumber(ARGV[4])
local kept_s, renew_s = tonumber(ARGV[5]), tonumber(ARGV[6])
local owner, word = ARGV[9], ARGV[10]
local updates, ended, puts, entries = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local facts, settled, maps, fences = tonumber(ARGV[15]), tonumber(ARGV[16]), tonumber(ARGV[17]), tonumber(ARGV[18])
local repairs = ARGV[19] == '1'
local bits_at = 19
local ended_at = bits_at + updates
local puts_at = ended_at + ended
local entries_at = puts_at + 5 * puts
local facts_at = entries_at + 4 * entries
local settled_at = facts_at + facts
local fences_at = settled_at + settled

if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
-- The script writes to `stored` here and at its end, so that a caller that waits for replicas waits for this write, too.
if redis.call('EXISTS', stored) == 1 then
  redis.call('EXPIRE', stored, ARGV[7])
  return 1
end

--include fences.lua

local refused = fenced(fences_at, fences)
if refused then
  return refused
end

local undone = 0
for i = 1, updates do
  undone = undone + 1 - redis.call('GETBIT', KEYS[15 + i], ARGV[bits_at + i])
end
if updates > 0 and undone == 0 then
  redis.call('EXPIRE', KEYS[16], kept_s)
  return 2
end

local held = {}
for i = 1, puts do
  local at = puts_at + 5 * (i - 1)
  held[i] = redis.call('HGET', people, ARGV[at + 1])
  local version = held[i] and tonumber(string.match(held[i], '^%d+')) or 0
  local is_put = ARGV[at + 5] ~= ''
  if version ~= tonumber(ARGV[at + 2]) - 1 and not (repairs and is_put) then
    return 0
  end
end

if facts > 0 and redis.call('XLEN', journal) + facts > tonumber(ARGV[8]) then
  return redis.error_reply('CROWDED the records are far behind')
end

--include take_in.lua

--include entries.lua

-- The facts come first: Redis refuses a number that the journal had before, and then nothing else may have been written.
local told = string.format('%.0f', redis.call('HINCRBY', store, 'facts', facts))
for i = 1, facts do
  redis.call('XADD', journal, string.format('%.0f-1', told - facts + i), 'f', ARGV[facts_at + i])
end
for i = 1, updates do
  local marks = KEYS[15 + i]
  redis.call('SETBIT', marks, ARGV[bits_at + i], 1)
  if redis.call('TTL', marks) < renew_s then
    redis.call('EXPIRE', marks, kept_s)
  end
end
for i = 1, ended do
  redis.call('HDEL', chats, ARGV[ended_at + i])
  redis.call('ZREM', idle_chats, ARGV[ended_at + i])
end
for i = 4, maps, 4 do
  local first = 15 + updates + i - 3
  local received = {}
  for map = first, first + 2 do
    for _, pair in ipairs(redis.call('LRANGE', KEYS[map], 0, -1)) do
      for at = 1, #pair, RECORD do
        received[#received + 1] = string.sub(pair, at + SIDE, at + 2 * SIDE - 1)
      end
    end
    redis.call('UNLINK', KEYS[map])
  end
  if #received > 0 then
    redis.call('SET', KEYS[first + 3], table.concat(received), 'EX', RECEIVED_S)
  end
end
for i = 1, puts do
  local at = puts_at + 5 * (i - 1)
  if ARGV[at + 5] ~= '' then
    take_in(held[i], ARGV[at + 1], ARGV[at + 2], told, ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
  end
end
for i = 1, entries do
  local at = entries_at + 4 * (i - 1)
  entry_settled(ARGV[at + 1])
  local number = string.format('%016.0f', redis.call('HINCRBY', store, 'entries', 1))
  entry_added(ARGV[at + 1], owner, number, ARGV[at + 2], ARGV[at + 3], '', ARGV[at + 4])
end
for i = 1, settled do
  entry_settled(ARGV[settled_at + i])
end
-- This comes last, so that it is true even if something stopped the script half way.
redis.call('SET', stored, '', 'EX', ARGV[7])
tell()
return 1
