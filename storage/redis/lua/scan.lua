-- Finds records. KEYS: meta. ARGV: pattern of their keys, server and cursor of the last call, how many keys to examine.
-- Returns server, cursor, and values. A cursor of another server is of no use: the scan begins again.
local info = redis.call('INFO', 'replication')
local server, cursor, values = string.match(info, 'master_replid:(%w+)') or '', ARGV[3], {}
if server ~= ARGV[2] then cursor = '0' end
local found = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', ARGV[4])
for i, key in ipairs(found[2]) do values[i] = redis.call('GET', key) end
return {server, found[1], values}
