-- ARGV: id, user as it was read, user as it shall be, until, now, 1 to disable
if call('HGET', users, ARGV[1]) ~= ARGV[2] then return {'changed'} end
local list = ARGV[6] == '1' and ending(ARGV[1], ARGV[5]) or {}
call('HSET', users, ARGV[1], ARGV[3])
end_all(ARGV[1], list)
revoke('user', ARGV[1], ARGV[4])
return {'ok'}
