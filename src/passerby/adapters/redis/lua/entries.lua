-- Included by commit.lua, mark.lua and inherit.lua: entries of the outbox.
--
-- An entry is "owner \t number \t person \t anchors \t call \n blob": `number` has 16 digits, so that they sort as they
-- are read; `anchors` is the chat that it tells the person of, or empty; `call` the one by which it was inherited. It stands in two lists, sorted by the letters: "owner \t number \t entry" in `order`, so that an owner's are found in
-- order, and "person \t number \t entry" in `turns`, so that it is seen who comes before whom.

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
