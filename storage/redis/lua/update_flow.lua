-- ARGV: state, flow as it was read, flow as it shall be
if call('HGET', flows, ARGV[1]) ~= ARGV[2] then return {'changed'} end
call('HSET', flows, ARGV[1], ARGV[3])
return {'ok'}
