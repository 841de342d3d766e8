#!lua flags=allow-oom
-- Which generation of the store this is. It writes nothing, and is not declared so: a replica, which may be behind, refuses it.
--
-- KEYS  1 store   hash   generation

return redis.call('HGET', KEYS[1], 'generation')
