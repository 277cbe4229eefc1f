-- ARGV: keys as they were read, keys as they shall be
if (call('GET', keys) or '') ~= ARGV[1] then return {'changed'} end
call('SET', keys, ARGV[2])
return {'ok'}
