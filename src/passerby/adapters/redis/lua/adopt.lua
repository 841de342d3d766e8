#!lua
-- Store people from the records, except those that the store already holds.
--
-- KEYS   1 store      hash    generation, adopted, doubt, mender, changes, floor
--        2 people    hash    person -> "version \t told \t kind \t place \t partner \n blob"
--        3 chats     hash    open chat -> its anchors
--        4 idle      zset    idle person, scored by when they were last heard of
--        5 waiting   zset    "pool \t person", scored by the number of the change
--        6 gone      zset    the same, for people who have stopped waiting
--        7 tickets   hash    "pool \t person" -> "version \n blob"
--        8 pools     hash    pool -> how many wait
--        9 idle_chats   zset   open chat, scored by its last message
--
-- ARGV   1 generation   2 now (Unix seconds)   3 pub/sub channel   4 how many members `gone` keeps
--        5 1 if this is the last batch   6 the score of a chat without a message
--        7 ...  for each person: person, version, "kind \t place \t partner", ticket, blob, anchor

local store, people, chats, idle, waiting, gone, tickets, pools, idle_chats = unpack(KEYS, 1, 9)
local now, channel, tombstones, word = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[6]

if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end

--include take_in.lua

--include anchor.lua

for at = 6, #ARGV - 1, 6 do
  if redis.call('HEXISTS', people, ARGV[at + 1]) == 0 then
    take_in(false, ARGV[at + 1], ARGV[at + 2], '0', ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
    local kind, place = string.match(ARGV[at + 3], '^(%a+)\t([^\t]*)')
    if kind ~= 'idle' then
      anchor(kind == 'chatting' and place or 'search:' .. ARGV[at + 1], ARGV[at + 1], ARGV[at + 6])
    end
  end
end
if ARGV[5] == '1' then
  redis.call('HSET', store, 'adopted', 1)
  redis.call('HDEL', store, 'doubt', 'mender')
end
tell()
return 1
