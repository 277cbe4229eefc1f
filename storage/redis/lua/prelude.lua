-- What all scripts begin with. See the package comment for the tables.
local users, user_ids, emails, identities, identities_by_user, links, links_by_email, flows, sessions,
  sessions_by_user, revocations, feed, keys, meta, expiry, counters, limits = unpack(KEYS)
local call, sub = redis.call, string.sub

-- A stamp is a time as 12 digits of seconds since the year 1 and 9 of nanoseconds. Numbers are compared and
-- not strings, which Redis compares by the locale it runs in.
local STAMP = 21

local function seconds(stamp) return tonumber(sub(stamp, 1, 12)) end

local function before(a, b)
  local x, y = seconds(a), seconds(b)
  if x ~= y then return x < y end
  return tonumber(sub(a, 13, STAMP)) < tonumber(sub(b, 13, STAMP))
end

-- A part is preceded by its length and ends with a comma, so that no two lists of parts are the same text.
local function part(text) return #text .. ':' .. text .. ',' end

-- cut returns the part that begins at a position, and the position behind it. Where there is none the script
-- ends, so it comes before the first write.
local function cut(text, from)
  local colon = string.find(text, ':', from, true)
  local length = tonumber(sub(text, from, colon - 1))
  local last = colon + length + 1
  if sub(text, last, last) ~= ',' then error('an entry is damaged') end
  return sub(text, colon + 1, last - 1), last + 1
end

-- of returns what an index holds for an owner, and the length of what precedes each key in it.
local function of(index, owner)
  local prefix = part(owner)
  return call('ZRANGEBYLEX', index, '[' .. prefix, '(' .. sub(prefix, 1, -2) .. '-'), #prefix
end

-- damaged ends a script before it has written anything.
local function damaged(name) return {'damaged', name} end

local function expires(class, key, stamp) call('ZADD', expiry, seconds(stamp), class .. key) end

-- clock is the time by the clock of Redis. It decides nothing: it says how old an entry of the feed is.
local function clock()
  local time = call('TIME')
  return string.format('%012.0f%06.0f000', tonumber(time[1]) + 62135596800, tonumber(time[2]))
end

-- revoke puts an entry at the end of the feed, in place of an earlier one of this kind and id. Who waits for
-- news is told when the script has ended.
local function revoke(kind, id, until_)
  local member, forget = part(kind) .. id, until_
  local former = call('HGET', revocations, member)
  if former and #former == 3 * STAMP and string.find(former, '^%d+$') and
    before(forget, sub(former, STAMP + 1, 2 * STAMP)) then
    forget = sub(former, STAMP + 1, 2 * STAMP)
  end
  call('HSET', revocations, member, until_ .. forget .. clock())
  call('ZADD', feed, call('HINCRBY', meta, 'revocations', 1), member)
  expires('r', member, forget)
  call('PUBLISH', feed, '')
end

-- A user is a letter, a(ctive) or d(isabled), one that says whether the address identifies the user, v(erified)
-- or -, and JSON.
local function active(id)
  local user = call('HGET', users, id)
  return user and sub(user, 1, 1) == 'a'
end

local function add_user(id, email, user)
  call('HSET', users, id, user)
  call('ZADD', user_ids, 0, id)
  if email ~= '' then call('HSET', emails, email, id) end
end

-- holder returns id and value of the user with an address. A user who is not there is a damage.
local function holder(email)
  local id = email ~= '' and call('HGET', emails, email)
  if not id then return nil end
  return id, call('HGET', users, id)
end

-- An identity is the id of its user as a part, and JSON.
local function attach(key, user, json)
  call('HSET', identities, key, part(user) .. json)
  call('ZADD', identities_by_user, 0, part(user) .. key)
end

-- A link is its expiry, the guesses, code and secret, the key of the address as a part, and JSON.
local function link_email(link) return (cut(link, STAMP + 66)) end

local function remove_link(secret, link)
  local email = link_email(link)
  call('HDEL', links, secret)
  call('ZREM', expiry, 'l' .. secret)
  if call('HGET', links_by_email, email) == secret then call('HDEL', links_by_email, email) end
end

-- A session is its expiry, when it was seen last, the ids of its user and its token as parts, and JSON.
local function session_parts(session)
  local user, at = cut(session, 2 * STAMP + 1)
  local token, rest = cut(session, at)
  return user, token, rest
end

local function put_session(id, user, session)
  call('HSET', sessions, id, session)
  call('ZADD', sessions_by_user, 0, part(user) .. id)
  expires('s', id, session)
end

local function remove_session(id, user)
  call('HDEL', sessions, id)
  call('ZREM', sessions_by_user, part(user) .. id)
  call('ZREM', expiry, 's' .. id)
end

-- ending returns what end_all is to do for a user. It reads everything that could be damaged, and so comes
-- before the first write: a script that fails is not undone.
local function ending(user, now)
  local list, owned, skip = {}, of(sessions_by_user, user)
  for i, member in ipairs(owned) do
    local id = sub(member, skip + 1)
    local session = call('HGET', sessions, id)
    list[i] = {id, session and before(now, session) and sub(session, 1, STAMP)}
  end
  return list
end

-- end_all ends the sessions of a user; those that had expired need no revocation.
local function end_all(user, list)
  for _, item in ipairs(list) do
    remove_session(item[1], user)
    if item[2] then revoke('session', item[1], item[2]) end
  end
end
