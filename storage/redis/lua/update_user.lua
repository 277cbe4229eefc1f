-- ARGV: id, user as it was read, user as it shall be, former and new key of the address
local id, former, email = ARGV[1], ARGV[4], ARGV[5]
if call('HGET', users, id) ~= ARGV[2] then return {'changed'} end
local other = email ~= '' and call('HGET', emails, email)
if other and other ~= id then return {'taken'} end
call('HSET', users, id, ARGV[3])
if former ~= '' and former ~= email then call('HDEL', emails, former) end
if email ~= '' then call('HSET', emails, email, id) end
return {'ok'}
