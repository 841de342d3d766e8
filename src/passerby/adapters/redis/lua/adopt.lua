#!lua
-- Store people from the records, except those that the store already holds.
--
-- KEYS   1 store      hash    generation, adopted, doubt, mender, roll, former, reborn, changes, floor
--        2 people    hash    person -> "version \t told \t kind \t place \t partner \n blob"
--        3 chats     hash    open chat -> its anchors
--        4 idle      zset    idle person, scored by when they were last heard of
--        5 waiting   zset    "pool \t person", scored by the number of the change
--        6 gone      zset    the same, for people who have stopped waiting
--        7 tickets   hash    "pool \t person" -> "version \n blob"
--        8 pools     hash    pool -> how many wait
--        9 idle_chats   zset   open chat, scored by its last message
--       10 outbox    hash    entry -> see entries.lua
--       11 turns     zset    "person \t number \t entry", sorted by text
--
-- ARGV   1 generation   2 now (Unix seconds)   3 pub/sub channel   4 how many members `gone` keeps
--        5 1 if this is the last batch, 2 if it is but may be outdated   6 the score of a chat without a message
--        7 ...  for each person: person, version, "kind \t place \t partner", ticket, blob, anchor

local store, people, chats, idle, waiting, gone, tickets, pools, idle_chats = unpack(KEYS, 1, 9)
local outbox, turns = KEYS[10], KEYS[11]
local now, channel, tombstones, word = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[6]

if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end

--include take_in.lua

--include anchor.lua

-- Whether the notice that tells the person of this chat or search is not sent yet. Then it brings the anchor.
local function will_tell(person, chat)
  local prefix = person .. '\t'
  for _, member in ipairs(redis.call('ZRANGEBYLEX', turns, '[' .. prefix, '(' .. prefix .. ':')) do
    local held = redis.call('HGET', outbox, string.sub(member, #prefix + 18))
    if held and string.match(held, '^[^\t]*\t%d+\t%d+\t([^\t]*)') == chat then
      return true
    end
  end
  return false
end

for at = 6, #ARGV - 1, 6 do
  if redis.call('HEXISTS', people, ARGV[at + 1]) == 0 then
    take_in(false, ARGV[at + 1], ARGV[at + 2], '0', ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
    local kind, place = string.match(ARGV[at + 3], '^(%a+)\t([^\t]*)')
    if kind ~= 'idle' then
      local chat = kind == 'chatting' and place or 'search:' .. ARGV[at + 1]
      if not will_tell(ARGV[at + 1], chat) then
        anchor(chat, ARGV[at + 1], ARGV[at + 6])
      end
    end
  end
end
if ARGV[5] == '1' then
  if redis.call('HSETNX', store, 'adopted', 1) == 1 and redis.call('HEXISTS', store, 'reborn') == 1 then
    -- Workers could not send heartbeats before, so their time to come back begins now.
    local t = redis.call('TIME')
    redis.call('HSET', store, 'reborn', string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000)))
  end
  redis.call('HDEL', store, 'doubt', 'mender', 'roll', 'former')
elseif ARGV[5] == '2' and redis.call('HEXISTS', store, 'adopted') == 0 then
  redis.call('HSET', store, 'doubt', 2)
end
tell()
return 1
