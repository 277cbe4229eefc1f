-- ARGV: key of the identity, its JSON, id of the candidate, key of the address, user, 1 to join
local known = call('HGET', identities, ARGV[1])
if known then
  local user = call('HGET', users, (cut(known, 1)))
  if not user then return damaged('identities') end
  return {'found', user}
end
local id, user = holder(ARGV[4])
if id then
  if ARGV[6] ~= '1' then return {'taken'} end
  if not user then return damaged('emails') end
  attach(ARGV[1], id, ARGV[2])
  return {'found', user}
end
if call('HEXISTS', users, ARGV[3]) == 1 then return {'taken'} end
add_user(ARGV[3], ARGV[4], ARGV[5])
attach(ARGV[1], ARGV[3], ARGV[2])
return {'made', ARGV[5]}
