#!lua flags=no-writes
-- Return what has changed in a pool since a number. Without a number, or if it is too old, return everyone who waits.
--
-- KEYS  1 store      hash   generation, changes, floor
--       2 waiting   zset   "pool \t person", scored by the number of the change
--       3 gone      zset   the same, for people who have stopped waiting
--       4 tickets   hash   "pool \t person" -> "version \n blob"
-- ARGV  1 generation   2 pool   3 number, or empty
--
-- Returns {the newest number, 1 if these are all, person, "version \n blob", ...}, the oldest change first.

local store, waiting, gone, tickets = unpack(KEYS)
if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local newest, floor = unpack(redis.call('HMGET', store, 'changes', 'floor'))
local since = tonumber(ARGV[3])
local whole = not since or since < tonumber(floor) or since > tonumber(newest)
local prefix = ARGV[2] .. '\t'
local found = {}

local function gather(from, since)
  local scored = redis.call('ZRANGEBYSCORE', from, since, '+inf', 'WITHSCORES')
  for i = 1, #scored, 2 do
    if string.sub(scored[i], 1, #prefix) == prefix then
      found[#found + 1] = {tonumber(scored[i + 1]), scored[i]}
    end
  end
end

if whole then
  gather(waiting, '-inf')
else
  gather(waiting, '(' .. ARGV[3])
  gather(gone, '(' .. ARGV[3])
  table.sort(found, function(a, b) return a[1] < b[1] end)
end
local answer = {newest, whole and 1 or 0}
for _, each in ipairs(found) do
  answer[#answer + 1] = string.sub(each[2], #prefix + 1)
  answer[#answer + 1] = redis.call('HGET', tickets, each[2])
end
return answer
