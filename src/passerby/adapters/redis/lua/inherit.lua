#!lua flags=allow-oom
-- Give some entries of workers that are gone to the heir, and evict those workers.
--
-- KEYS   1 store      hash     generation, reborn
--        2 workers   hash     worker -> "number until ttl \n report"
--        3 evicted   zset     worker whose entries were inherited, scored by when (ms)
--        4 outbox    hash     entry -> see entries.lua
--        5 order     zset     "owner \t number \t entry", sorted by text
--        6 turns     zset     "person \t number \t entry", sorted by text
--        7 stored    string   exists if this call has inherited anything before
--
-- ARGV   1 generation   2 heir   3 the name of this call, kept in the entries   4 how many entries at most
--        5 how long `stored` is kept, in seconds   6 how long evicted workers are remembered, in milliseconds
--        7 how long a worker may be missing while no worker has named a time, in milliseconds
--
-- Returns {1 if there is more, 1 if this call has ever inherited anything}.

local store, workers, evicted, outbox, order, turns, stored = unpack(KEYS)
local heir, call, many = ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('HGET', store, 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end

--include living.lua

--include entries.lua

local living, named = {[heir] = true}, 0
local found = redis.call('HGETALL', workers)
for i = 1, #found, 2 do
  local _, till, _, ttl = parsed(found[i + 1])
  named = math.max(named, tonumber(ttl))
  if till > now then
    living[found[i]] = true
  end
end

-- After a wipe the store knows no living worker until each has sent a heartbeat. Until then no worker counts as gone.
local reborn = redis.call('HGET', store, 'reborn')
if reborn and now < tonumber(reborn) + (named > 0 and named or tonumber(ARGV[7])) then
  return {0, redis.call('EXISTS', stored)}
end

local dead = {}
local first = redis.call('ZRANGEBYLEX', order, '-', '+', 'LIMIT', 0, 1)[1]
while first do
  local owner = string.match(first, '^[^\t]*')
  if not living[owner] then
    dead[#dead + 1] = owner
  end
  first = redis.call('ZRANGEBYLEX', order, '(' .. owner .. '\t:', '+', 'LIMIT', 0, 1)[1]
end

local left = many
for _, owner in ipairs(dead) do
  if owner ~= '' then
    redis.call('ZADD', evicted, now, owner)
    redis.call('HDEL', workers, owner)
  end
  local prefix = owner .. '\t'
  local theirs = redis.call('ZRANGEBYLEX', order, '[' .. prefix, '(' .. prefix .. ':', 'LIMIT', 0, left)
  for _, member in ipairs(theirs) do
    local number, entry_name = string.sub(member, #prefix + 1, #prefix + 16), string.sub(member, #prefix + 18)
    local held = redis.call('HGET', outbox, entry_name)
    redis.call('ZREM', order, member)
    if held then
      local person, anchors = string.match(held, '^[^\t]*\t%d+\t(%d+)\t([^\t]*)')
      local blob = string.sub(held, string.find(held, '\n', 1, true) + 1)
      entry_added(entry_name, heir, number, person, anchors, call, blob)
    end
  end
  left = left - #theirs
end
if left < many then
  redis.call('SET', stored, '', 'EX', ARGV[5])
end
redis.call('ZREMRANGEBYSCORE', evicted, '-inf', string.format('%.0f', now - ARGV[6]))
return {left == 0 and 1 or 0, redis.call('EXISTS', stored)}
