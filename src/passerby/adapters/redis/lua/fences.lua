-- Included by commit.lua and mark.lua. Checks that nobody else has taken a lease that this write depends on.
-- A lease without an epoch here has not been taken since the store was wiped.

local function fenced(at, fences)
  for i = at + 1, at + 2 * fences, 2 do
    local newest = redis.call('HGET', epochs, ARGV[i])
    if newest and newest ~= ARGV[i + 1] then
      return redis.error_reply('FENCED somebody else has taken the lease')
    end
  end
end
