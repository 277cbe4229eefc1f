-- Lists users by ID.
-- KEYS: the index of shards. ARGV: the prefix of the realm, the last ID seen or '', how many, 1 for all fields.
-- Returns IDs, each followed by the user or by all fields.
local call, prefix, after, left = redis.call, ARGV[1], ARGV[2], tonumber(ARGV[3])
local answer, from = {}, '-'
if after ~= '' then from = '[' .. string.sub(after, 1, 3) end
for _, shard in ipairs(call('ZRANGEBYLEX', KEYS[1], from, '+')) do
  local ids = call('ZRANGEBYLEX', prefix .. 'ids:' .. shard, after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, left)
  for _, id in ipairs(ids) do
    answer[#answer + 1] = id
    answer[#answer + 1] = ARGV[4] == '1' and call('HGETALL', prefix .. 'u:' .. id) or call('HGET', prefix .. 'u:' .. id, 'u')
  end
  left = left - #ids
  if left == 0 then break end
end
return answer
