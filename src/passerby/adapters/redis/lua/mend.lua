#!lua flags=allow-oom
-- Decide whether this worker may resolve the doubts of a generation. Only one worker may, for the time that it names.
--
-- KEYS  1 store   hash   generation, adopted, mender
-- ARGV  1 generation   2 worker   3 how long, in milliseconds
--
-- Returns 1 or 0.

local store = KEYS[1]
if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local adopted, mender = unpack(redis.call('HMGET', store, 'adopted', 'mender'))
local till, worker = string.match(mender or '', '^(%d+) (.*)$')
if adopted or (till and tonumber(till) > now and worker ~= ARGV[2]) then
  return 0
end
redis.call('HSET', store, 'mender', string.format('%.0f ', now + ARGV[3]) .. ARGV[2])
return 1
