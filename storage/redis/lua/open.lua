-- Opens a realm. KEYS: meta. ARGV: format of the program, epoch of a new realm. Returns the stored format and epoch.
local format = redis.call('HGET', KEYS[1], 'format')
if not format or (tonumber(format) or math.huge) < tonumber(ARGV[1]) and tonumber(format) > 0 then
  redis.call('HSET', KEYS[1], 'format', ARGV[1])
end
redis.call('HSETNX', KEYS[1], 'epoch', ARGV[2])
return redis.call('HMGET', KEYS[1], 'format', 'epoch')
