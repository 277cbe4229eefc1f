-- Checks what a step was computed from, then performs its writes.
-- KEYS: the keys of the step that are known. ARGV: the prefix of the realm, the number of checks, the checks, the writes.
-- A check: key number, field of a hash or '', and '' for absent, '*' for present, '=value', or '~value' for absent or equal.
-- A write: number of arguments, command, key number, arguments.
-- Returns the number of the first check that failed, or 0.
local call, sub, prefix, at = redis.call, string.sub, ARGV[1], 3
for i = 1, tonumber(ARGV[2]) do
  local key, field, want = KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2]
  local value
  if field == '' then value = call('GET', key) else value = call('HGET', key, field) end
  local mode = sub(want, 1, 1)
  if value then
    if mode ~= '*' and (mode == '' or value ~= sub(want, 2)) then return i end
  elseif mode == '*' or mode == '=' then
    return i
  end
  at = at + 3
end

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local CHUNK, LIFTED = 128, 86400000

-- owned lists the records of an owner: a member is kind, time of creation and key. It reads each record, so that a
-- script that meets a key on another node of a Cluster ends before its first write.
local function owned(owner, kind)
  local list = {}
  for _, member in ipairs(call('ZRANGE', owner, 0, -1)) do
    local of, key = string.match(member, '^(%S+) %d+ (.*)$')
    if kind == '' or of == kind then
      local record = prefix .. 'r:' .. of .. ':' .. key
      call('EXISTS', record)
      list[#list + 1] = {member, record}
    end
  end
  table.sort(list, function(a, b) return a[1] > b[1] end)
  return list
end

local function remove(owner, list, from)
  for i = from, #list do
    call('DEL', list[i][2])
    call('ZREM', owner, list[i][1])
  end
end

local prepare, perform = {}, {}

-- RECORD key: value, expiry or '', milliseconds left by the node's clock, key number of the owner, member, kind, how
-- many of the kind to keep or 0. The record vanishes when it has expired by the clock of Redis and by that of the node.
function prepare.RECORD(_, _, _, _, owner, member, kind, keep)
  if keep == '0' then return {} end
  local others = {}
  for _, item in ipairs(owned(KEYS[tonumber(owner)], kind)) do
    if item[1] ~= member then others[#others + 1] = item end
  end
  return others
end
function perform.RECORD(others, key, value, expires, left, owner, member, _, keep)
  local lifetime = math.huge
  if expires ~= '' then lifetime = math.max(expires - now, tonumber(left)) end
  if lifetime <= 0 then return call('DEL', key) end
  if expires == '' then call('SET', key, value) else call('SET', key, value, 'PX', lifetime) end
  if owner == '' then return end
  owner = KEYS[tonumber(owner)]
  call('ZREMRANGEBYSCORE', owner, '-inf', now)
  call('ZADD', owner, now + lifetime, member)
  remove(owner, others, math.max(1, tonumber(keep)))
  local last = call('ZREVRANGE', owner, 0, 0, 'WITHSCORES')[2]
  if last == 'inf' then call('PERSIST', owner) else call('PEXPIREAT', owner, last) end
end

-- DISOWN key of an owner: kind, or '' for all. Deletes the owner's records.
function prepare.DISOWN(owner, kind) return owned(owner, kind) end
function perform.DISOWN(list, owner) remove(owner, list, 1) end

-- REVOKE key of the entry: key number of meta, member, until or '' to lift, JSON. Appends to the feed. The entry
-- outlives one that it replaces, so that a node that reads from the beginning gets the right one.
local revoked, chunk = 0, nil
local function chunk_of(number) return prefix .. 'f:' .. string.format('%.0f', math.floor(number / CHUNK)) end
function prepare.REVOKE(_, meta)
  revoked = revoked + 1
  call('EXISTS', chunk_of((call('HGET', KEYS[tonumber(meta)], 'feed') or 0) + revoked))
end
function perform.REVOKE(_, key, meta, member, until_, json)
  local number = call('HINCRBY', KEYS[tonumber(meta)], 'feed', 1)
  local lifetime = math.max(call('PTTL', key), until_ == '' and LIFTED or until_ - now)
  if lifetime <= 0 then return end
  chunk = chunk_of(number)
  call('SET', key, string.format('%.0f %.0f ', number, now) .. json, 'PX', lifetime)
  call('ZADD', chunk, number, member)
  call('PEXPIRE', chunk, math.max(lifetime, call('PTTL', chunk)))
end

local writes = {}
while at <= #ARGV do
  local count, name, key = tonumber(ARGV[at]), ARGV[at + 1], KEYS[tonumber(ARGV[at + 2])]
  local write = {name, key, at + 3, at + count + 2}
  if prepare[name] then write[5] = prepare[name](key, unpack(ARGV, write[3], write[4])) or {} end
  writes[#writes + 1] = write
  at = at + count + 3
end
for _, write in ipairs(writes) do
  local name, key = write[1], write[2]
  if perform[name] then
    perform[name](write[5], key, unpack(ARGV, write[3], write[4]))
  else
    call(name, key, unpack(ARGV, write[3], write[4]))
  end
end
if chunk then call('PUBLISH', prefix .. 'feed', '') end
return 0
