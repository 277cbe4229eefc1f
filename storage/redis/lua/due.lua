-- Finds users with sessions or identities that have expired by the clocks of Redis and of the node.
-- KEYS: meta. ARGV: the prefix of the realm, the first shard, users of it to skip, the node's time in milliseconds.
-- Returns the shard to continue with, 4096 at the end, and the IDs that are due in it. It also moves the beginning of the
-- feed past chunks that have expired.
local call, prefix, shard, skip = redis.call, ARGV[1], tonumber(ARGV[2]), ARGV[3]
local meta = call('HMGET', KEYS[1], 'first', 'feed')
local first, last = tonumber(meta[1] or 0), math.floor((meta[2] or 0) / 128)
local begin = first
while first < last and first - begin < 1000 and call('EXISTS', prefix .. 'f:' .. string.format('%.0f', first)) == 0 do
  first = first + 1
end
if first > begin then call('HSET', KEYS[1], 'first', string.format('%.0f', first)) end

local time = call('TIME')
local now = math.min(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[4]))
for _ = 1, 256 do
  local due = call('ZRANGEBYSCORE', prefix .. 'ids:' .. shard, '-inf', now, 'LIMIT', skip, 100)
  if #due > 0 then return {shard, due} end
  shard, skip = shard + 1, 0
  if shard >= 4096 then break end
end
return {shard, {}}
