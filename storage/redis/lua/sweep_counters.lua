-- ARGV: now, how many counters to look at
-- KEYS: behind the tables, the counters of a limit in the order in which they are zero again
local queue, forgotten = KEYS[18], 0
local due = call('ZRANGEBYSCORE', queue, '-inf', seconds(ARGV[1]), 'LIMIT', 0, ARGV[2])
for _, counter in ipairs(due) do
  local known = call('HGET', counters, counter)
  if not known or not before(ARGV[1], known) then
    call('HDEL', counters, counter)
    call('ZREM', queue, counter)
    forgotten = forgotten + 1
  end
end
return {'ok', forgotten}
