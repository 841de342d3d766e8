-- Included by heartbeat.lua and members.lua, after living.lua. Returns {worker, number, report, ...} of the living workers
-- and {lease, worker, ...} of the leases that they hold.

local function living_members()
  local living, told, held = {}, {}, {}
  local found = redis.call('HGETALL', workers)
  for i = 1, #found, 2 do
    local number, till, report = parsed(found[i + 1])
    if till > now then
      living[found[i]] = true
      told[#told + 1] = found[i]
      told[#told + 1] = number
      told[#told + 1] = report
    end
  end
  found = redis.call('HGETALL', leases)
  for i = 1, #found, 2 do
    local _, till, worker = parsed(found[i + 1])
    if till > now and living[worker] then
      held[#held + 1] = found[i]
      held[#held + 1] = worker
    end
  end
  return told, held
end
