-- ARGV: now, the most counters of one limit, then for each: the counter, the end of a window that opens now
-- KEYS: behind the tables, one for each: the counters of its limit in the order in which they are zero again
--
-- A counter is the end of its window and its value.
local now, most, answer = ARGV[1], tonumber(ARGV[2]), {'ok'}
for i = 3, #ARGV, 2 do
  local counter, reset, queue = ARGV[i], ARGV[i + 1], KEYS[17 + (i - 1) / 2]
  local known, n = call('HGET', counters, counter), 0
  if known and before(now, known) then
    n = tonumber(sub(known, STAMP + 1))
    if before(known, reset) then reset = sub(known, 1, STAMP) end
  end
  if not known and call('ZCARD', queue) >= most then
    call('HDEL', counters, call('ZPOPMIN', queue)[1])
  end
  call('HSET', counters, counter, reset .. n + 1)
  call('ZADD', queue, seconds(reset), counter)
  call('SADD', limits, queue)
  answer[#answer + 1] = reset
  answer[#answer + 1] = n + 1
end
return answer
