#!lua flags=allow-oom
-- Answer the roll call of a generation that is new or in doubt (see `runtime.background.roll_call`).
--
-- KEYS  1 store   hash   generation, adopted, roll, former
-- ARGV  1 generation   2 worker, or empty to only ask
--
-- Returns {1 if the roll call is over, who has answered, who lived when the last generation ended}, names with spaces.

local store, me = KEYS[1], ARGV[2]
if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local adopted, roll, former = unpack(redis.call('HMGET', store, 'adopted', 'roll', 'former'))
roll = roll or ' '
if me ~= '' and not adopted and not string.find(roll, ' ' .. me .. ' ', 1, true) then
  roll = roll .. me .. ' '
  redis.call('HSET', store, 'roll', roll)
end
return {adopted and 1 or 0, roll, former or ''}
