-- ARGV: key of the address
local id, user = holder(ARGV[1])
if not id then return {'none'} end
if not user then return damaged('emails') end
return {'ok', user}
