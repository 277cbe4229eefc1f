-- Lists records of a kind, newest first. A member of an index is kind, time of creation and key, in the order of time.
-- KEYS: the index of an owner or of a kind. ARGV: the prefix of the realm, 1 for an owner, the members between which to
-- list, how many. Returns the last member if there may be more, and members, each followed by its record or nil.
local call, prefix, from, before, limit = redis.call, ARGV[1], ARGV[3], ARGV[4], tonumber(ARGV[5])
local members = {}
if ARGV[2] == '1' then
  for _, member in ipairs(call('ZRANGE', KEYS[1], 0, -1)) do
    if member >= from and member < before then members[#members + 1] = member end
  end
  table.sort(members, function(a, b) return a > b end)
else
  members = call('ZREVRANGEBYLEX', KEYS[1], '(' .. before, '[' .. from, 'LIMIT', 0, limit)
end
local answer, last = {}, ''
for i = 1, math.min(#members, limit) do
  answer[2 * i - 1] = members[i]
  answer[2 * i] = call('GET', prefix .. 'r:' .. string.gsub(members[i], '^(%S+) %d+ ', '%1:', 1))
  last = members[i]
end
if #members < limit then last = '' end
return {last, answer}
