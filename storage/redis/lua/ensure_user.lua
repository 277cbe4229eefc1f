-- ARGV: id, key of the address, user
local id, user = holder(ARGV[2])
if id and not user then return damaged('emails') end
if id then return {'found', user} end
if call('HEXISTS', users, ARGV[1]) == 1 then return {'taken'} end
add_user(ARGV[1], ARGV[2], ARGV[3])
return {'made', ARGV[3]}
