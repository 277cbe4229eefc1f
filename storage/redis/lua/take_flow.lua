-- ARGV: state, now
local flow = call('HGET', flows, ARGV[1])
if not flow or not before(ARGV[2], flow) then return {'none'} end
call('HDEL', flows, ARGV[1])
call('ZREM', expiry, 'f' .. ARGV[1])
return {'ok', flow}
