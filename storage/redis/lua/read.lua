-- Reads several things at one moment.
-- KEYS: what to read. ARGV: the prefix of the realm, then how to read each key:
--   g  the value
--   h  the fields of a hash
--   f  the value as a user ID, followed by the fields of that user
--   o  the records of a kind that belong to an owner, the newest 1000; the kind follows the letter
-- Returns the time of Redis in milliseconds and one element for each key, nil for an absent one.
local call, sub, prefix = redis.call, string.sub, ARGV[1]
local time = call('TIME')
local answer = {time[1] * 1000 + math.floor(time[2] / 1000)}
for i, key in ipairs(KEYS) do
  local way, kind, value = sub(ARGV[i + 1], 1, 1), sub(ARGV[i + 1], 2), nil
  if way == 'g' then
    value = call('GET', key)
  elseif way == 'h' then
    value = call('HGETALL', key)
  elseif way == 'f' then
    local id = call('GET', key)
    value = id and {id, call('HGETALL', prefix .. 'u:' .. id)}
  else
    local members = {}
    for _, member in ipairs(call('ZRANGE', key, 0, -1)) do
      if string.match(member, '^%S+') == kind then members[#members + 1] = member end
    end
    table.sort(members, function(a, b) return a > b end)
    value = {}
    for j = 1, math.min(#members, 1000) do
      value[j] = call('GET', prefix .. 'r:' .. kind .. ':' .. string.match(members[j], '^%S+ %d+ (.*)$'))
    end
  end
  answer[i + 1] = value
end
return answer
