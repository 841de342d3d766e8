-- Included by mark.lua and adopt.lua: the message by which a person was told of an open chat. The first one holds.
-- The anchors of a chat are "person bot message;" of each side that has one.

local function anchor(chat, person, message)
  local anchors = redis.call('HGET', chats, chat)
  if anchors and not string.find(';' .. anchors, ';' .. person .. ' ', 1, true) then
    redis.call('HSET', chats, chat, anchors .. person .. ' ' .. message .. ';')
  end
end
