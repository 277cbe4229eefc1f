-- ARGV: key of the identity
local identity = call('HGET', identities, ARGV[1])
if not identity then return {'none'} end
local user = call('HGET', users, (cut(identity, 1)))
if not user then return damaged('identities') end
return {'ok', user}
