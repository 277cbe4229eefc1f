-- ARGV: id and time, for each
for i = 1, #ARGV, 2 do
  local session = call('HGET', sessions, ARGV[i])
  if session and before(sub(session, STAMP + 1, 2 * STAMP), ARGV[i + 1]) then
    call('HSET', sessions, ARGV[i], sub(session, 1, STAMP) .. ARGV[i + 1] .. sub(session, 2 * STAMP + 1))
  end
end
return {'ok'}
