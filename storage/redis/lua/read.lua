-- Reads several things at one moment.
-- KEYS: what to read. ARGV: the prefix of the realm, then how to read each key:
--   g  the value
--   h  the fields of a hash
--   f  the value as a user ID, followed by the fields of that user
-- Returns the time of Redis in milliseconds and one element for each key, nil for an absent one.
local call, prefix = redis.call, ARGV[1]
local time = call('TIME')
local answer = {time[1] * 1000 + math.floor(time[2] / 1000)}
for i, key in ipairs(KEYS) do
  local way, value = ARGV[i + 1], nil
  if way == 'g' then
    value = call('GET', key)
  elseif way == 'h' then
    value = call('HGETALL', key)
  else
    local id = call('GET', key)
    value = id and {id, call('HGETALL', prefix .. 'u:' .. id)}
  end
  answer[i + 1] = value
end
return answer
