-- Moves the time at which sessions were seen last forward.
-- KEYS: users. ARGV: for each the ID of a session and a time in microseconds.
for i, key in ipairs(KEYS) do
  local id, at = ARGV[2 * i - 1], ARGV[2 * i]
  if redis.call('HEXISTS', key, 's' .. id) == 1 and tonumber(redis.call('HGET', key, 'l' .. id) or 0) < tonumber(at) then
    redis.call('HSET', key, 'l' .. id, at)
  end
end
return 0
