-- Included by commit.lua, mark.lua and inherit.lua: entries of the outbox.
--
-- An entry is "owner \t number \t person \t anchors \t call \n blob". `number` has 16 digits, so numbers sort as text.
-- `anchors` is the chat that this notice tells the person about, or empty. `call` is the call that inherited the entry.
--
-- Two sets hold each entry, sorted by text. `order` holds "owner \t number \t entry", to find an owner's entries in
-- order. `turns` holds "person \t number \t entry", to see which entry for a person comes first.

local function entry_added(entry, owner, number, person, anchors, call, blob)
  local head = owner .. '\t' .. number .. '\t' .. person .. '\t' .. anchors .. '\t' .. call
  redis.call('HSET', outbox, entry, head .. '\n' .. blob)
  redis.call('ZADD', order, 0, owner .. '\t' .. number .. '\t' .. entry)
  redis.call('ZADD', turns, 0, person .. '\t' .. number .. '\t' .. entry)
end

local function entry_settled(entry)
  local held = redis.call('HGET', outbox, entry)
  if held then
    local owner, number, person = string.match(held, '^([^\t]*)\t(%d+)\t(%d+)')
    redis.call('HDEL', outbox, entry)
    redis.call('ZREM', order, owner .. '\t' .. number .. '\t' .. entry)
    redis.call('ZREM', turns, person .. '\t' .. number .. '\t' .. entry)
  end
end
