-- ARGV: key of the address, code, now, how many guesses are evaluated
local secret = call('HGET', links_by_email, ARGV[1])
local link = secret and call('HGET', links, secret)
if not link or not before(ARGV[3], link) then return {'none'} end
local guesses = tonumber(sub(link, STAMP + 1, STAMP + 1))
if guesses >= tonumber(ARGV[4]) then return {'none'} end
if sub(link, STAMP + 2, STAMP + 33) ~= ARGV[2] then
  call('HSET', links, secret, sub(link, 1, STAMP) .. guesses + 1 .. sub(link, STAMP + 2))
  return {'none'}
end
remove_link(secret, link)
return {'ok', link}
