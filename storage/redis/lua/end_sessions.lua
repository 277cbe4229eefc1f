-- ARGV: id of the user, then id and session as it was read, for each
for i = 2, #ARGV, 2 do
  if call('HGET', sessions, ARGV[i]) ~= ARGV[i + 1] then return {'changed'} end
end
for i = 2, #ARGV, 2 do
  remove_session(ARGV[i], ARGV[1])
  revoke('session', ARGV[i], sub(ARGV[i + 1], 1, STAMP))
end
return {'ok'}
