-- Checks what a step was computed from, then performs its writes.
-- KEYS: the keys of the step that are known. ARGV: the prefix of the realm, the number of checks, the checks, the writes.
-- A check: key number, field of a hash or '', and '' for absent, '*' for present, '=value', or '~value' for absent or equal.
-- A write: number of arguments, command, key number, arguments. The command is one of Redis, or:
--   RECORD  key: value, expiry in ms or '', ms left by the node's clock, key number of the owner or '', member, kind, how
--           many of the kind to keep or 0. The record vanishes when it has expired by Redis' clock and by the node's.
--   DISOWN  owner: kind or '' for all, record of the owner or ''. Deletes the owner's records, and that one in any case.
--   REVOKE  entry: key number of meta, member, until in ms or '' to lift, JSON. Appends to the feed. An entry outlives one
--           that it replaces, so that a node that reads from the beginning gets the right one.
-- Returns the number of the first check that failed, or 0.
local call, sub, format, prefix, at = redis.call, string.sub, string.format, ARGV[1], 3
for i = 1, tonumber(ARGV[2]) do
  local key, field, want = KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2]
  local value = field == '' and call('GET', key) or field ~= '' and call('HGET', key, field)
  local mode = sub(want, 1, 1)
  if value and value ~= '' then
    if mode ~= '*' and (mode == '' or value ~= sub(want, 2)) then return i end
  elseif mode == '*' or mode == '=' then
    return i
  end
  at = at + 3
end

local CHUNK, LIFTED, clock = 128, 86400000, nil
local function now()
  if not clock then
    local time = call('TIME')
    clock = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return clock
end

-- each calls a command with up to 500 elements of a list at a time.
local function each(list, command, ...)
  for i = 1, #list, 500 do
    local arguments = {...}
    for j = i, math.min(i + 499, #list) do arguments[#arguments + 1] = list[j] end
    call(command, unpack(arguments))
  end
end

local function key_of(member) return prefix .. 'r:' .. string.gsub(member, '^(%S+) %d+ ', '%1:', 1) end

-- owned selects records of an owner; a member of its index is kind, time of creation and key. It skips the newest, and
-- one member. It reads what it selects: in a Cluster that moves the keys, the script then ends before its first write.
local function owned(index, kind, skip, except)
  local members, keys = {}, {}
  for _, member in ipairs(index) do
    if (kind == '' or string.match(member, '^%S+') == kind) and member ~= except then members[#members + 1] = member end
  end
  if skip > 0 then table.sort(members, function(a, b) return a > b end) end
  for i = skip + 1, #members do
    members[i - skip] = members[i]
    keys[i - skip] = key_of(members[i])
  end
  for i = #keys + 1, #members do members[i] = nil end
  each(keys, 'EXISTS')
  return members, keys
end

-- unlist removes members from the indexes of their kinds.
local function unlist(members)
  for _, member in ipairs(members) do call('ZREM', prefix .. 'n:' .. string.match(member, '^%S+'), member) end
end

-- vanished picks members of an index of a kind at random and returns those without a record. As each write adds one
-- member, such members stay a minority. In a Cluster that moves the keys, a record on the other node counts as present.
local function vanished(index)
  local gone = {}
  for _, member in ipairs(call('ZRANDMEMBER', index, 4)) do
    if redis.pcall('EXISTS', key_of(member)) == 0 then gone[#gone + 1] = member end
  end
  return gone
end

-- list adds a member to the index of a kind, which exists as long as the last record.
local function list(index, member, lifetime)
  local left = call('PTTL', index) -- -2 if it is absent, -1 if it never expires
  call('ZADD', index, 0, member)
  if left == -1 then return end
  if lifetime == math.huge then call('PERSIST', index) else call('PEXPIRE', index, math.max(left, lifetime)) end
end

local function chunk_of(number) return prefix .. 'f:' .. format('%.0f', math.floor(number / CHUNK)) end

local function record(write, key, value, expires, left, owner, member, kind)
  local lifetime = expires == '' and math.huge or math.max(expires - now(), tonumber(left))
  local index = prefix .. 'n:' .. kind
  if lifetime <= 0 then
    call('ZREM', index, member)
    return call('DEL', key)
  end
  if expires == '' then call('SET', key, value) else call('SET', key, value, 'PX', lifetime) end
  each(write.gone, 'ZREM', index)
  list(index, member, lifetime)
  if owner == '' then return end
  owner = KEYS[tonumber(owner)]
  local last = now() + lifetime
  if write.size > 0 then
    call('ZREMRANGEBYSCORE', owner, '-inf', now())
    each(write.keys, 'DEL')
    each(write.members, 'ZREM', owner)
    unlist(write.members)
    last = math.max(last, tonumber(call('ZREVRANGE', owner, 0, 0, 'WITHSCORES')[2] or 0))
    if last == math.huge then call('PERSIST', owner) end
  end
  call('ZADD', owner, now() + lifetime, member)
  if last < math.huge then call('PEXPIREAT', owner, last) end
end

local function revoke(key, meta, member, until_, json)
  local number = call('HINCRBY', KEYS[tonumber(meta)], 'feed', 1)
  local lifetime = math.max(call('PTTL', key), until_ == '' and LIFTED or until_ - now())
  if lifetime <= 0 then return false end
  local chunk = chunk_of(number)
  call('SET', key, format('%.0f %.0f ', number, now()) .. json, 'PX', lifetime)
  call('ZADD', chunk, number, member)
  call('PEXPIRE', chunk, math.max(lifetime, call('PTTL', chunk)))
  return true
end

-- Prepares all writes by reading what they need, then performs them.
local writes, revoked = {}, 0
while at <= #ARGV do
  local write = {name = ARGV[at + 1], key = KEYS[tonumber(ARGV[at + 2])], from = at + 3, to = at + 2 + ARGV[at]}
  if write.name == 'RECORD' then
    local keep = tonumber(ARGV[at + 9])
    write.gone = vanished(prefix .. 'n:' .. ARGV[at + 8])
    write.size, write.members, write.keys = 0, {}, {}
    if ARGV[at + 6] ~= '' then write.size = call('ZCARD', KEYS[tonumber(ARGV[at + 6])]) end
    if keep > 0 then
      local index = call('ZRANGE', KEYS[tonumber(ARGV[at + 6])], 0, -1)
      write.members, write.keys = owned(index, ARGV[at + 8], keep - 1, ARGV[at + 7])
    end
  elseif write.name == 'DISOWN' then
    write.members, write.keys = owned(call('ZRANGE', write.key, 0, -1), ARGV[at + 3], 0)
    if ARGV[at + 4] ~= '' then write.keys[#write.keys + 1] = KEYS[tonumber(ARGV[at + 4])] end
  elseif write.name == 'REVOKE' then
    revoked = revoked + 1
    call('EXISTS', chunk_of((call('HGET', KEYS[tonumber(ARGV[at + 3])], 'feed') or 0) + revoked))
  end
  writes[#writes + 1] = write
  at = write.to + 1
end
local news = false
for _, write in ipairs(writes) do
  if write.name == 'RECORD' then
    record(write, write.key, unpack(ARGV, write.from, write.to))
  elseif write.name == 'DISOWN' then
    each(write.keys, 'DEL')
    each(write.members, 'ZREM', write.key)
    unlist(write.members)
  elseif write.name == 'REVOKE' then
    news = revoke(write.key, unpack(ARGV, write.from, write.to)) or news
  else
    call(write.name, write.key, unpack(ARGV, write.from, write.to))
  end
end
if news then call('PUBLISH', prefix .. 'feed', '') end
return 0
