#!lua
-- Store all results of a finished send, or nothing. Running it twice gives the same result.
--
-- KEYS   1 store      hash    generation, facts
--        2 chats     hash    open chat -> "person,person;", then each anchor as "person bot message;"
--        3 idle_chats   zset   open chat, scored by its last message
--        4 epochs    hash    lease -> its newest epoch
--        5 map       hash    "bot message" -> blob; the map of this period
--        6 outbox    hash    entry -> see entries.lua
--        7 order     zset    "owner \t number \t entry", sorted by text
--        8 turns     zset    "person \t number \t entry", sorted by text
--        9 journal   stream  number-1 -> f blob
--       10 ...       done marks for each update
--
-- ARGV   1 generation
--        2 how long done marks are kept, and 3 when to renew them   4 how long the map is kept, in seconds
--        5 chat of the map and of the message   6 its writer, or empty
--        7 the score if the first person of the chat wrote it
--        8 chat of the anchor   9 its person   10 its message, as "bot message"
--       11 to 15 how many of each follow: 11 fences   12 updates   13 map fields   14 settled entries   15 facts
--       16 ...  for each fence: lease, epoch; for each update its bit; for each map field: field, blob;
--               each settled entry; for each fact its blob
--
-- Returns 1. Error: FENCED.

local store, chats, idle_chats, epochs, map, outbox, order, turns, journal = unpack(KEYS, 1, 9)
local kept_s, renew_s, chat, speaker = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[5], ARGV[6]
local fences, updates, fields, settled, facts =
  tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14]), tonumber(ARGV[15])

if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end

--include fences.lua

local refused = fenced(15, fences)
if refused then
  return refused
end
local at = 15 + 2 * fences

for i = 1, updates do
  local marks = KEYS[9 + i]
  redis.call('SETBIT', marks, ARGV[at + i], 1)
  if redis.call('TTL', marks) < renew_s then
    redis.call('EXPIRE', marks, kept_s)
  end
end
at = at + updates
local open = (fields > 0 or speaker ~= '') and redis.call('HGET', chats, chat)
if open then
  if fields > 0 then
    redis.call('HSET', map, unpack(ARGV, at + 1, at + 2 * fields))
    if redis.call('TTL', map) == -1 then
      redis.call('EXPIRE', map, ARGV[4])
    end
  end
  if speaker ~= '' then
    -- One more is the score if the second person wrote it.
    local first = string.sub(open, 1, #speaker + 1) == speaker .. ','
    redis.call('ZADD', idle_chats, first and ARGV[7] or string.format('%.0f', ARGV[7] + 1), chat)
  end
end
at = at + 2 * fields
if settled > 0 then
--include entries.lua

  for i = 1, settled do
    entry_settled(ARGV[at + i])
  end
end
if ARGV[8] ~= '' then
--include anchor.lua

  if anchor(ARGV[8], ARGV[9], ARGV[10]) then
    at = at + settled
    for i = 1, facts do
      redis.call('XADD', journal, string.format('%.0f-1', redis.call('HINCRBY', store, 'facts', 1)), 'f', ARGV[at + i])
    end
  end
end
return 1
