-- ARGV: key of the identity, id of the user
local known = call('HGET', identities, ARGV[1])
if not known or cut(known, 1) ~= ARGV[2] then return {'none'} end
local user = call('HGET', users, ARGV[2])
if not user then return damaged('identities') end
if sub(user, 2, 2) ~= 'v' and #of(identities_by_user, ARGV[2]) == 1 then return {'last'} end
call('HDEL', identities, ARGV[1])
call('ZREM', identities_by_user, part(ARGV[2]) .. ARGV[1])
return {'ok'}
