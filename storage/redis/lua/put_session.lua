-- ARGV: id, id of the user, session
if not active(ARGV[2]) then return {'inactive'} end
if call('HEXISTS', sessions, ARGV[1]) == 1 then return {'taken'} end
put_session(ARGV[1], ARGV[2], ARGV[3])
return {'ok'}
