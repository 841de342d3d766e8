#!lua flags=no-writes
-- Any one reading command, on the life that is meant.
--
-- KEYS  1 life   hash   generation   2 what is read
-- ARGV  1 generation   2 the command   3 ... what follows the key

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another life has begun')
end
return redis.call(ARGV[2], KEYS[2], unpack(ARGV, 3))
