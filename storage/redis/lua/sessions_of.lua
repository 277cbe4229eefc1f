-- ARGV: id of the user, now
local answer = {'ok'}
local owned, skip = of(sessions_by_user, ARGV[1])
for _, member in ipairs(owned) do
  local session = call('HGET', sessions, sub(member, skip + 1))
  if not session then return damaged('sessions_by_user') end
  if before(ARGV[2], session) then answer[#answer + 1] = session end
end
return answer
