-- ARGV: keys as they were read, keys as they shall be, then four numbers of records and the records:
--   users: id, key of the address, user
--   identities: key, id of the user, JSON
--   sessions: id, id of the user, session
--   revocations: kind, id, until
--
-- Everything is checked before the first write: a script that fails is not undone.
if (call('GET', keys) or '') ~= ARGV[1] then return {'changed'} end
local at, lists = 7, {}
for kind = 1, 4 do
  lists[kind] = {}
  for i = 1, tonumber(ARGV[2 + kind]) do
    lists[kind][i] = {ARGV[at], ARGV[at + 1], ARGV[at + 2]}
    at = at + 3
  end
end
local function new_only(list, taken)
  local result, seen = {}, {}
  for _, record in ipairs(list) do
    if not seen[record[1]] and not taken(record) then
      seen[record[1]] = record
      result[#result + 1] = record
    end
  end
  return result, seen
end

local new_users, coming = new_only(lists[1], function(user) return call('HEXISTS', users, user[1]) == 1 end)
local claimed = {}
for _, user in ipairs(new_users) do
  local email = user[2]
  if email ~= '' then
    if claimed[email] or call('HEXISTS', emails, email) == 1 then return {'taken'} end
    claimed[email] = true
  end
end
local function known(id) return coming[id] or call('HEXISTS', users, id) == 1 end
local owners = {}
for _, identity in ipairs(lists[2]) do
  if not known(identity[2]) then return {'none'} end
  local stored = call('HGET', identities, identity[1])
  local owner = stored and cut(stored, 1) or owners[identity[1]]
  if owner and owner ~= identity[2] then return {'taken'} end
  owners[identity[1]] = identity[2]
end
for _, session in ipairs(lists[3]) do
  if not known(session[2]) then return {'none'} end
end
local new_identities = new_only(lists[2], function(i) return call('HEXISTS', identities, i[1]) == 1 end)
local new_sessions = new_only(lists[3], function(s) return call('HEXISTS', sessions, s[1]) == 1 end)
local new_revocations = {}
local listed = {}
for _, r in ipairs(lists[4]) do
  local member = part(r[1]) .. r[2]
  if not listed[member] and call('HEXISTS', revocations, member) == 0 then
    listed[member] = true
    new_revocations[#new_revocations + 1] = r
  end
end

for _, user in ipairs(new_users) do add_user(unpack(user)) end
for _, identity in ipairs(new_identities) do attach(unpack(identity)) end
for _, session in ipairs(new_sessions) do put_session(unpack(session)) end
for _, revocation in ipairs(new_revocations) do revoke(unpack(revocation)) end
if ARGV[2] ~= ARGV[1] then call('SET', keys, ARGV[2]) end
return {'ok', #new_users + #new_identities + #new_sessions + #new_revocations}
