-- ARGV: history and number of the last entry seen, how many are wanted
--
-- The history is that of the data: Redis takes another one when it starts and when a replica takes over, and
-- keeps it nowhere else. What came after the replica's last word is lost then, and the numbers come again.
local info = call('INFO', 'replication')
if string.find(info, 'role:slave', 1, true) then return {'replica'} end
local history = (call('HGET', meta, 'epoch') or '') .. '.' .. (string.match(info, 'master_replid:(%w+)') or '')
local last, seen = tonumber(call('HGET', meta, 'revocations') or 0), tonumber(ARGV[2])
if ARGV[1] ~= history or seen > last then seen = 0 end
local wanted = tonumber(ARGV[3])
local entries = call('ZRANGEBYSCORE', feed, string.format('(%.0f', seen), '+inf', 'WITHSCORES', 'LIMIT', 0, wanted)
if #entries == 2 * wanted then last = tonumber(entries[#entries]) end
local answer = {'ok', history, string.format('%.0f', last), clock()}
for i = 1, #entries, 2 do
  local revocation = call('HGET', revocations, entries[i])
  if not revocation then return damaged('feed') end
  answer[#answer + 1] = entries[i]
  answer[#answer + 1] = revocation
end
return answer
