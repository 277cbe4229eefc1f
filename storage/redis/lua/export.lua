-- ARGV: id of the last user seen or nothing, how many users are wanted
--
-- A user comes together with identities and sessions, so that no record is there before its user.
local from = '-'
if ARGV[1] ~= '' then from = '(' .. ARGV[1] end
local answer = {'ok'}
for _, id in ipairs(call('ZRANGEBYLEX', user_ids, from, '+', 'LIMIT', 0, ARGV[2])) do
  local user = call('HGET', users, id)
  if not user then return damaged('user_ids') end
  local one = {id, user, {}, {}}
  for place, table in ipairs({{identities_by_user, identities}, {sessions_by_user, sessions}}) do
    local owned, skip = of(table[1], id)
    for i, member in ipairs(owned) do
      local item = call('HGET', table[2], sub(member, skip + 1))
      if not item then return damaged('user_ids') end
      one[2 + place][i] = item
    end
  end
  answer[#answer + 1] = one
end
return answer
