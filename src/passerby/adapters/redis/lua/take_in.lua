-- Included by commit.lua and adopt.lua. `take_in` stores a person's new value.
--
-- A stored person is "version \t told \t kind \t place \t partner \n blob" (see keys.py); `rest` is "kind \t place \t
-- partner". A ticket is a member "pool \t person" of `waiting` or, after the person stopped waiting, of `gone`, scored by
-- the number of the change. In `tickets` the same member leads to "version \n blob", with an empty blob for `gone`.

local changed_pools = {}

local function note(pool, person, version, ticket)
  local member = pool .. '\t' .. person
  local number = redis.call('HINCRBY', store, 'changes', 1)
  if ticket ~= '' then
    if redis.call('ZADD', waiting, number, member) == 1 then
      redis.call('HINCRBY', pools, pool, 1)
      redis.call('ZREM', gone, member)
    end
  else
    if redis.call('ZREM', waiting, member) == 1 and redis.call('HINCRBY', pools, pool, -1) <= 0 then
      redis.call('HDEL', pools, pool)
    end
    redis.call('ZADD', gone, number, member)
    -- `gone` stays bounded: a reader that is older than the floor reads the whole pool again.
    local many = redis.call('ZCARD', gone) - tombstones
    if many > 0 then
      local evicted = redis.call('ZPOPMIN', gone, many)
      for i = 1, #evicted, 2 do
        redis.call('HDEL', tickets, evicted[i])
      end
      redis.call('HSET', store, 'floor', evicted[#evicted])
    end
  end
  redis.call('HSET', tickets, member, version .. '\n' .. ticket)
  changed_pools[pool] = true
end

local function take_in(held, person, version, told, rest, ticket, blob)
  local kind, place, partner = string.match(rest, '^(%a+)\t([^\t]*)\t(.*)$')
  local old_pool = held and string.match(held, '^%d+\t%d+\twaiting\t([^\t]*)')
  local pool = kind == 'waiting' and place
  if old_pool and old_pool ~= pool then
    note(old_pool, person, version, '')
  end
  if pool then
    note(pool, person, version, ticket)
  end
  if kind == 'idle' then
    redis.call('ZADD', idle, now, person)
  else
    redis.call('ZREM', idle, person)
  end
  if kind == 'chatting' then
    if redis.call('HSETNX', chats, place, person .. ',' .. partner .. ';') == 1 then
      redis.call('ZADD', idle_chats, word, place)
    end
  end
  if pool then
    redis.call('HSETNX', chats, 'search:' .. person, '')
  elseif old_pool then
    redis.call('HDEL', chats, 'search:' .. person)
  end
  redis.call('HSET', people, person, version .. '\t' .. told .. '\t' .. rest .. '\n' .. blob)
end

local function tell()
  for pool in pairs(changed_pools) do
    redis.call('PUBLISH', channel, pool)
  end
end
