-- Reads several things at one moment.
-- KEYS: what to read. ARGV: the prefix of the realm, then how to read each key:
--   g  the value
--   h  the fields of a hash
--   f  the value as a user ID, followed by the fields of that user
--   o  the records of a kind that belong to an owner; the kind follows the letter
-- Returns the time of Redis in milliseconds and one element for each key, nil for an absent one.
local call, prefix = redis.call, ARGV[1]
local time = call('TIME')
local answer = {time[1] * 1000 + math.floor(time[2] / 1000)}
local read = {}
function read.g(key) return call('GET', key) end
function read.h(key) return call('HGETALL', key) end
function read.f(key)
  local id = call('GET', key)
  return id and {id, call('HGETALL', prefix .. 'u:' .. id)}
end
function read.o(key, kind)
  local members, values = {}, {}
  for _, member in ipairs(call('ZRANGE', key, 0, -1)) do
    if string.match(member, '^%S+') == kind then members[#members + 1] = member end
  end
  table.sort(members, function(a, b) return a > b end)
  for i = 1, math.min(#members, 1000) do
    values[i] = call('GET', prefix .. 'r:' .. kind .. ':' .. string.match(members[i], '^%S+ %d+ (.*)$'))
  end
  return values
end
for i, key in ipairs(KEYS) do
  local how = ARGV[i + 1]
  answer[i + 1] = read[string.sub(how, 1, 1)](key, string.sub(how, 2))
end
return answer
