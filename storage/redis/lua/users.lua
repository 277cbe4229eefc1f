-- Lists users, shard by shard. KEYS: meta. ARGV: the prefix of the realm, the first shard, how many users, 1 for all
-- fields. Returns the shard to continue with, 4096 at the end, and IDs of whole shards, in no order, each
-- followed by the user or by all fields.
local call, prefix, left = redis.call, ARGV[1], tonumber(ARGV[3])
local answer, shard = {}, tonumber(ARGV[2])
while shard < 4096 and left > 0 do
  for _, id in ipairs(call('ZRANGE', prefix .. 'ids:' .. shard, 0, -1)) do
    answer[#answer + 1] = id
    answer[#answer + 1] = ARGV[4] == '1' and call('HGETALL', prefix .. 'u:' .. id) or call('HGET', prefix .. 'u:' .. id, 'u')
    left = left - 1
  end
  shard = shard + 1
end
return {shard, answer}
