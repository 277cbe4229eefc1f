-- ARGV: id, old token, new token, expires, now
local session = call('HGET', sessions, ARGV[1])
if not session or not before(ARGV[5], session) then return {'none'} end
local user, token, rest = session_parts(session)
if token ~= ARGV[2] then return {'none'} end
if not active(user) then return {'inactive'} end
local renewed = ARGV[4] .. sub(session, STAMP + 1, 2 * STAMP) .. part(user) .. part(ARGV[3]) .. sub(session, rest)
put_session(ARGV[1], user, renewed)
revoke('token', token, sub(session, 1, STAMP))
return {'ok', renewed}
