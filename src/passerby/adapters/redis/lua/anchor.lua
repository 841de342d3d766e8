-- Included by mark.lua and adopt.lua: the message by which a person was told of an open chat, or of their search. The
-- first one holds; true, if this is it. A chat is "person,person;" and then "person bot message;" of each who was told.

local function anchor(chat, person, message)
  local anchors = redis.call('HGET', chats, chat)
  local of_another = string.sub(chat, 1, 7) == 'search:' and chat ~= 'search:' .. person
  if anchors and not of_another and not string.find(';' .. anchors, ';' .. person .. ' ', 1, true) then
    redis.call('HSET', chats, chat, anchors .. person .. ' ' .. message .. ';')
    return true
  end
end
