#!lua flags=allow-oom
-- Take as many messages from a budget as are wanted and available. If 0 are wanted, block the budget for a while.
--
-- This is the generic cell rate algorithm, as in domain/budgets.py, in the server's own time. A budget is "tat held", both
-- in milliseconds: the bucket is full again at `tat`; nothing is granted before `held`. A retry may take twice.
--
-- KEYS  1 store   hash   generation   2 budget   string   "tat held"
-- ARGV  1 generation   2 how many are wanted   3 milliseconds per message   4 burst: how many at once
--       or 1 generation   2 0   3 how long to block, in milliseconds   4 pub/sub channel   5 what to publish there
--
-- Returns {how many are granted, milliseconds until one may be granted (if none was)}.

if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then
  return redis.error_reply('WIPED another generation has begun')
end
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local tat, held = string.match(redis.call('GET', KEYS[2]) or '', '^(%S+) (%S+)$')
tat, held = math.max(tonumber(tat or 0), now), tonumber(held or 0)
local wanted, gap = tonumber(ARGV[2]), tonumber(ARGV[3])

local function keep()
  local till = math.max(tat, held)
  if till > now then
    redis.call('SET', KEYS[2], string.format('%.3f %.3f', tat, held), 'PX', math.ceil(till - now))
  end
end

if wanted == 0 then
  held = math.max(held, now + gap)
  keep()
  redis.call('PUBLISH', ARGV[4], ARGV[5])
  return {0, ARGV[3]}
end
local burst = tonumber(ARGV[4])
-- The addition makes up for the thousandth of a millisecond that is lost when `tat` is written.
local many = math.min(wanted, math.floor((now + burst * gap - tat) / gap + 0.001))
local wait = math.max(held - now, tat + gap - burst * gap - now)
if held > now or many < 1 then
  return {0, string.format('%.3f', math.max(wait, 0.001))}
end
tat = tat + many * gap
keep()
return {many, '0'}
