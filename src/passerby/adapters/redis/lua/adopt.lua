#!lua
-- Take in people from the records, except those already held.
--
-- KEYS   1 life      hash    generation, adopted, changes, floor
--        2 people    hash    person -> "version \t told \t kind \t place \t partner \n blob"
--        3 chats     hash    open chat -> its anchors
--        4 idle      zset    idle person, scored by when they were last heard of
--        5 waiting   zset    "pool \t person", scored by the number of the change
--        6 gone      zset    the same, for those who no longer wait
--        7 tickets   hash    "pool \t person" -> "version \n blob"
--        8 pools     hash    pool -> how many wait
--
-- ARGV   1 generation   2 now (Unix seconds)   3 channel for news   4 how many are remembered of who no longer waits
--        5 whether these are the last of those to be adopted   6 the anchor that stands for none   7 how many people
--        8 ...  (person, version, "kind \t place \t partner", ticket, blob) of each

local life, people, chats, idle, waiting, gone, tickets, pools = unpack(KEYS, 1, 8)
local now, channel, tombstones, nowhere = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[6]

if redis.call('HGET', life, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another life has begun')
end

--include take_in.lua

--include anchor.lua

for i = 1, tonumber(ARGV[7]) do
  local at = 7 + 5 * (i - 1)
  if redis.call('HEXISTS', people, ARGV[at + 1]) == 0 then
    take_in(false, ARGV[at + 1], ARGV[at + 2], '0', ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
    local chat = string.match(ARGV[at + 3], '^chatting\t([^\t]*)')
    if chat then
      anchor(chat, ARGV[at + 1], nowhere)
    end
  end
end
if ARGV[5] == '1' then
  redis.call('HSET', life, 'adopted', 1)
end
tell()
return 1
