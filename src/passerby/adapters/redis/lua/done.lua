#!lua flags=no-writes
-- KEYS  1 life   hash     generation
--       2 ...    done marks of each update
-- ARGV  1 generation   2 ... bit of each update
--
-- Returns a bit for each update.

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another life has begun')
end
local done = {}
for i = 2, #KEYS do
  done[i - 1] = redis.call('GETBIT', KEYS[i], ARGV[i])
end
return done
