-- Included by scripts that ask which workers are living. `now` is the server's own time, in milliseconds.
-- Entries of workers and of leases have the same form: "number until ttl \n rest".

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

local function entry(number, ttl, rest)
  return string.format('%.0f %.0f ', number, now + ttl) .. ttl .. '\n' .. rest
end

local function parsed(entry)
  if entry then
    local number, till, ttl, rest = string.match(entry, '^(%d+) (%d+) (%d+)\n(.*)$')
    return tonumber(number), tonumber(till), rest, ttl
  end
end
