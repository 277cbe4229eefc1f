-- ARGV: id, user as it was read, key of the address, until, now
local id = ARGV[1]
if call('HGET', users, id) ~= ARGV[2] then return {'changed'} end
local list = ending(id, ARGV[5])
call('HDEL', users, id)
call('ZREM', user_ids, id)
if ARGV[3] ~= '' then call('HDEL', emails, ARGV[3]) end
local owned, skip = of(identities_by_user, id)
for _, member in ipairs(owned) do
  call('HDEL', identities, sub(member, skip + 1))
  call('ZREM', identities_by_user, member)
end
end_all(id, list)
revoke('user', id, ARGV[4])
return {'ok'}
