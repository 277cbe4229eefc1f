-- ARGV: state, flow. A flow is its expiry and JSON.
call('HSET', flows, ARGV[1], ARGV[2])
expires('f', ARGV[1], ARGV[2])
return {'ok'}
