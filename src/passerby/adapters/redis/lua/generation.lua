#!lua flags=allow-oom
-- Return the generation of the store. The script only reads, but it is not declared `no-writes`: a replica may be behind,
-- and so it refuses to run this.
--
-- KEYS  1 store   hash   generation

return redis.call('HGET', KEYS[1], 'generation')
