-- Reads the feed of revocations.
-- KEYS: meta. ARGV: the prefix of the realm, history and number of the last entry seen, how many to return.
-- Returns history, number to continue from, 1 at the end of the feed, the time of Redis in milliseconds, and entries.
--
-- The history names the data. Redis takes a new one when it starts and when a replica takes over: entries of which the
-- replica had not received a copy are lost then, and their numbers are used again.
local call, prefix, CHUNK = redis.call, ARGV[1], 128
local info = call('INFO', 'replication')
if string.find(info, 'role:slave', 1, true) then return {'replica'} end
local meta = call('HMGET', KEYS[1], 'epoch', 'feed', 'first')
local history = (meta[1] or '') .. '.' .. (string.match(info, 'master_replid:(%w+)') or '')
local last, seen, wanted = tonumber(meta[2] or 0), tonumber(ARGV[3]), tonumber(ARGV[4])
if ARGV[2] ~= history or seen > last then seen = 0 end
local time, entries = call('TIME'), {}
local chunk, looked = math.max(math.floor((seen + 1) / CHUNK), tonumber(meta[3] or 0)), 0
while chunk * CHUNK <= last and looked < 500 and #entries < wanted do
  local list = call('ZRANGEBYSCORE', prefix .. 'f:' .. string.format('%.0f', chunk), string.format('(%.0f', seen), '+inf', 'WITHSCORES')
  for i = 1, #list, 2 do
    local value = call('GET', prefix .. 'v:' .. list[i])
    if value and string.match(value, '^%d+') == list[i + 1] then entries[#entries + 1] = value end
  end
  chunk, looked = chunk + 1, looked + 1
  seen = math.max(seen, math.min(last, chunk * CHUNK - 1))
end
local done = chunk * CHUNK > last
if done then seen = last end
return {history, string.format('%.0f', seen), done and 1 or 0, time[1] * 1000 + math.floor(time[2] / 1000), entries}
