-- ARGV: key of the old identity, then the key and the JSON of each of the others
local known = call('HGET', identities, ARGV[1])
if not known then return {'none'} end
local id = cut(known, 1)
local user = call('HGET', users, id)
if not user then return damaged('identities') end
for i = 2, #ARGV, 2 do
  if call('HEXISTS', identities, ARGV[i]) == 1 then return {'taken'} end
end
call('HDEL', identities, ARGV[1])
call('ZREM', identities_by_user, part(id) .. ARGV[1])
for i = 2, #ARGV, 2 do attach(ARGV[i], id, ARGV[i + 1]) end
return {'ok', user}
