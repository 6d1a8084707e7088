-- Ends the lease of an owner who has not been told of it. Another's stays.
-- KEYS: …, the entry, the lease. ARGV: the nonce of the owner.

local held = redis.pcall('GET', KEYS[5])
if type(held) == 'string' and held:sub(-#ARGV[1]) == ARGV[1] then
  redis.call('UNLINK', KEYS[5])
end
