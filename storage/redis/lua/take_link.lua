-- ARGV: secret, now
local link = call('HGET', links, ARGV[1])
if not link or not before(ARGV[2], link) then return {'none'} end
remove_link(ARGV[1], link)
return {'ok', link}
