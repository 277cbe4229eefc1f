-- ARGV: format, epoch
call('HSETNX', meta, 'format', ARGV[1])
call('HSETNX', meta, 'epoch', ARGV[2])
return {'ok', call('HGET', meta, 'format')}
