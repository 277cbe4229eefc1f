-- ARGV: id of the user
local answer = {'ok'}
local owned, skip = of(identities_by_user, ARGV[1])
for _, member in ipairs(owned) do
  local identity = call('HGET', identities, sub(member, skip + 1))
  if not identity then return damaged('identities_by_user') end
  answer[#answer + 1] = identity
end
return answer
