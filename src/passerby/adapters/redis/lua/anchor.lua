-- Included by mark.lua and adopt.lua. Stores the anchor of a person's chat or search, unless there is one already.
-- Returns true if it stored the anchor. A chat is "person,person;", then "person bot message;" for each anchor.

local function anchor(chat, person, message)
  local anchors = redis.call('HGET', chats, chat)
  local of_another = string.sub(chat, 1, 7) == 'search:' and chat ~= 'search:' .. person
  if anchors and not of_another and not string.find(';' .. anchors, ';' .. person .. ' ', 1, true) then
    redis.call('HSET', chats, chat, anchors .. person .. ' ' .. message .. ';')
    return true
  end
end
