-- ARGV: key of the identity, its JSON, id of the user
if call('HEXISTS', users, ARGV[3]) == 0 then return {'none'} end
local known = call('HGET', identities, ARGV[1])
if not known then
  attach(ARGV[1], ARGV[3], ARGV[2])
elseif cut(known, 1) ~= ARGV[3] then
  return {'taken'}
end
return {'ok'}
