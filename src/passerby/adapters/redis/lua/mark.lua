#!lua
-- Store all results of some finished sends. Each send is stored completely or, if it was fenced, not at all. A script
-- that runs twice repeats rows of the message map; it changes nothing else.
--
-- A send belongs to a *group*: the sends of a batch that depend on the same leases.
--
-- KEYS   1 store     hash    generation, facts
--        2 chats     hash    open chat -> "person,person;", then each anchor as "person bot message;"
--        3 idle_chats   zset   open chat, scored by its last message
--        4 epochs    hash    lease -> its newest epoch
--        5 outbox    hash    entry -> see entries.lua
--        6 order     zset    "owner \t number \t entry", sorted by text
--        7 turns     zset    "person \t number \t entry", sorted by text
--        8 journal   stream  number-1 -> f blob
--        9 ...       blocks of done marks, then maps: lists of packed pairs, of one day of a chat each
--
-- ARGV   1 generation
--        2 how long done marks are kept, and 3 when to renew them   4 how long a map is kept, in seconds
--        5 how many pairs a map may have
--        6 to 12 how many of each follow: 6 groups   7 blocks   8 chats   9 words (in idle_chats)   10 maps
--          11 settled entries   12 anchors
--        13 ...  for each group: how many leases, then for each: lease, epoch;
--                for each block: group, how many updates, the bit of each;
--                each chat;
--                for each word: group, number of the chat above, its writer, the score if the first person of the chat
--                wrote it;
--                for each map: group, number of the chat, how many pairs, each pair;
--                for each settled entry: group, entry;
--                for each anchor: group, chat, person, its message as "bot message", how many facts, each fact's blob
--
-- Returns the numbers of the groups that are fenced, from 1.

local store, chats, idle_chats, epochs, outbox, order, turns, journal = unpack(KEYS, 1, 8)
local kept_s, renew_s, map_kept_s, most = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local groups, blocks, open_chats = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local words, maps, settled, anchors = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local at = 12

if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end

--include fences.lua

local refused, stopped = {}, {}
for group = 1, groups do
  local leases = tonumber(ARGV[at + 1])
  if fenced(at + 1, leases) then
    refused[#refused + 1] = group
    stopped[tostring(group)] = true
  end
  at = at + 1 + 2 * leases
end

for i = 1, blocks do
  local marks, bits = KEYS[8 + i], tonumber(ARGV[at + 2])
  if not stopped[ARGV[at + 1]] then
    local sets = {}
    for bit = at + 3, at + 2 + bits do
      local n = #sets
      sets[n + 1], sets[n + 2], sets[n + 3], sets[n + 4] = 'SET', 'u1', ARGV[bit], 1
    end
    redis.call('BITFIELD', marks, unpack(sets))
    if redis.call('TTL', marks) < renew_s then
      redis.call('EXPIRE', marks, kept_s)
    end
  end
  at = at + 2 + bits
end

local open = open_chats > 0 and redis.call('HMGET', chats, unpack(ARGV, at + 1, at + open_chats))
local chats_at = at
at = at + open_chats
local scores = {}
for _ = 1, words do
  local chat, speaker, score = tonumber(ARGV[at + 2]), ARGV[at + 3], ARGV[at + 4]
  if open[chat] and not stopped[ARGV[at + 1]] then
    -- One more is the score if the second person wrote it.
    local first = string.sub(open[chat], 1, #speaker + 1) == speaker .. ','
    scores[#scores + 1] = first and score or string.format('%.0f', score + 1)
    scores[#scores + 1] = ARGV[chats_at + chat]
  end
  at = at + 4
end
if #scores > 0 then
  redis.call('ZADD', idle_chats, unpack(scores))
end
for i = 1, maps do
  local map, pairs_ = KEYS[8 + blocks + i], tonumber(ARGV[at + 3])
  if open[tonumber(ARGV[at + 2])] and not stopped[ARGV[at + 1]] then
    local length = redis.call('RPUSH', map, unpack(ARGV, at + 4, at + 3 + pairs_))
    if length == pairs_ then
      redis.call('EXPIRE', map, map_kept_s)
    end
    if length > most then
      redis.call('LTRIM', map, -most, -1)
    end
  end
  at = at + 3 + pairs_
end

if settled > 0 then
--include entries.lua

  for _ = 1, settled do
    if not stopped[ARGV[at + 1]] then
      entry_settled(ARGV[at + 2])
    end
    at = at + 2
  end
end
if anchors > 0 then
--include anchor.lua

  for _ = 1, anchors do
    local facts = tonumber(ARGV[at + 5])
    if not stopped[ARGV[at + 1]] and anchor(ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]) then
      for i = 1, facts do
        local number = redis.call('HINCRBY', store, 'facts', 1)
        redis.call('XADD', journal, string.format('%.0f-1', number), 'f', ARGV[at + 5 + i])
      end
    end
    at = at + 5 + facts
  end
end
return refused
