-- ARGV: secret, key of the address, link
local secret, email = ARGV[1], ARGV[2]
local older = call('HGET', links_by_email, email)
if older then
  call('HDEL', links, older)
  call('ZREM', expiry, 'l' .. older)
end
call('HSET', links, secret, ARGV[3])
call('HSET', links_by_email, email, secret)
expires('l', secret, ARGV[3])
return {'ok'}
