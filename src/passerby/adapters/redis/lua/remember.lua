#!lua
-- Remember a bot's file id for a file, or forget it. This is a cache, independent of the store's generation.
--
-- KEYS  1 file   hash   bot -> file id
-- ARGV  1 bot   2 file id, or empty to forget   3 how long, in seconds

if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return 1
