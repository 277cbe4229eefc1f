-- Counts events.
-- KEYS: for each counter the hash that holds it. ARGV: how many counters a hash keeps, then for each counter its field,
-- its window in milliseconds, and what to add.
-- Returns for each the new value and the milliseconds until it is zero again.
--
-- A counter is the end of its window, by the clock of Redis, and its value. A hash that is full drops the counter whose
-- window ends first. A hash vanishes when all of its windows have ended.
local call, answer = redis.call, {}
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function parse(text)
  local ends, value = string.match(text, '^(%d+) (%d+)$')
  return tonumber(ends or 0), tonumber(value or 0)
end
for i, key in ipairs(KEYS) do
  local field, window, add = ARGV[3 * i - 1], tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local known = call('HGET', key, field)
  local ends, value = parse(known or '')
  local opens = ends <= now
  if opens then ends, value = now + window, 0 end
  ends = math.min(ends, now + window)
  local sum = math.max(0, value + add)
  if sum ~= value then
    local others = known and 0 or call('HLEN', key)
    if others >= tonumber(ARGV[1]) then
      local all, soonest, victim = call('HGETALL', key), math.huge, nil
      for j = 1, #all, 2 do
        local theirs = parse(all[j + 1])
        if theirs <= now then call('HDEL', key, all[j]) end
        if theirs < soonest then soonest, victim = theirs, all[j] end
      end
      call('HDEL', key, victim)
    end
    call('HSET', key, field, string.format('%.0f %.0f', ends, sum))
    if opens and (not known and others == 0 or call('PTTL', key) < ends - now) then call('PEXPIRE', key, ends - now) end
  end
  answer[2 * i - 1] = sum
  answer[2 * i] = sum == 0 and 0 or ends - now
end
return answer
