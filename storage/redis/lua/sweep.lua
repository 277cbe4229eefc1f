-- ARGV: now, how many entries to look at
local now = ARGV[1]
local function live(item) return item and before(now, item) end
local forget = {
  l = function(key)
    local link = call('HGET', links, key)
    if live(link) then return false end
    if link then remove_link(key, link) end
    return true
  end,
  f = function(key)
    if live(call('HGET', flows, key)) then return false end
    call('HDEL', flows, key)
    return true
  end,
  s = function(key)
    local session = call('HGET', sessions, key)
    if live(session) then return false end
    if session then remove_session(key, (session_parts(session))) end
    return true
  end,
  r = function(key)
    local revocation = call('HGET', revocations, key)
    if revocation and live(sub(revocation, STAMP + 1, 2 * STAMP)) then return false end
    call('HDEL', revocations, key)
    call('ZREM', feed, key)
    return true
  end,
}
local forgotten = 0
local due = call('ZRANGEBYSCORE', expiry, '-inf', seconds(now), 'LIMIT', 0, ARGV[2])
for _, entry in ipairs(due) do
  local kind = forget[sub(entry, 1, 1)]
  if not kind or kind(sub(entry, 2)) then
    call('ZREM', expiry, entry)
    forgotten = forgotten + 1
  end
end
return {'ok', forgotten}
