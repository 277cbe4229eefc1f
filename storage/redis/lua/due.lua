-- Finds users with sessions or identities that have expired by the clocks of Redis and of the node.
-- KEYS: the index of shards, meta. ARGV: the prefix of the realm, from which shard on, users of it to skip, the node's
-- time in milliseconds.
-- Returns the last shard that was examined and the IDs that are due in it; nothing at the end. It also moves the
-- beginning of the feed past chunks that have expired.
local call, prefix, looked = redis.call, ARGV[1], {}
local first = tonumber(call('HGET', KEYS[2], 'first') or 0)
local last = math.floor((call('HGET', KEYS[2], 'feed') or 0) / 128)
local begin = first
while first < last and first - begin < 1000 and call('EXISTS', prefix .. 'f:' .. string.format('%.0f', first)) == 0 do
  first = first + 1
end
if first > begin then call('HSET', KEYS[2], 'first', string.format('%.0f', first)) end

local time = call('TIME')
local now = math.min(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[4]))
for i, shard in ipairs(call('ZRANGEBYLEX', KEYS[1], ARGV[2], '+', 'LIMIT', 0, 256)) do
  local due = call('ZRANGEBYSCORE', prefix .. 'x:' .. shard, '-inf', now, 'LIMIT', i == 1 and ARGV[3] or 0, 100)
  looked = {shard, due}
  if #due > 0 then break end
end
return looked
