#!lua flags=no-writes
-- Whether keys are missing after a cluster has moved the slot. If an operator assigns the slot to the new node before the old
-- one is empty, Redis deletes the rest without a word. Most keys have a counterpart, so their sizes show it.
--
-- KEYS  1 store   hash   facts, recorded   2 people   3 chats   4 idle_chats   5 idle   6 waiting   7 gone   8 tickets
--       9 outbox   10 order   11 turns   12 journal: see keys.py
--
-- Returns 1 if all are there, 0 if some are missing.

local function hash(at) return redis.call('HLEN', KEYS[at]) end
local function set(at) return redis.call('ZCARD', KEYS[at]) end

local facts, recorded = unpack(redis.call('HMGET', KEYS[1], 'facts', 'recorded'))
local people, chats, waiting = hash(2), set(4), set(6)
local chatting = people - set(5) - waiting
local unrecorded = tonumber(facts or 0) > tonumber(recorded or 0)
if (people == 0 and facts ~= '0')
  or chatting < chats or chatting > 2 * chats
  or hash(3) ~= chats + waiting
  or hash(8) ~= waiting + set(7)
  or hash(9) ~= set(10) or set(10) ~= set(11)
  or (unrecorded and redis.call('XLEN', KEYS[12]) == 0) then
  return 0
end
return 1
