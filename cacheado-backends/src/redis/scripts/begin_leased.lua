-- Announces a fill, unless another is about to fill the entry, or has; what became of it: 0 and the claim, 1 and
-- how long the other's lease lasts, or 2 and the entry with what is left of its life.
-- KEYS: …, the entry, the lease, the indexes of its groups. ARGV: a nonce, should there be no generation yet, that
-- of the owner, the milliseconds of a lease, whether an entry will do.

local entry, lease, owner = KEYS[4], KEYS[5], ARGV[2]

local names = { entry:sub(#space + 1) }
for i = 6, #KEYS do
  names[#names + 1] = KEYS[i]:sub(#space + 1)
end
local held = redis.pcall('GET', lease)
held = type(held) == 'string' and held or ''
if held:sub(-#owner) == owner then
  return { 0, held }
end
if ARGV[4] == '1' and groups_of(entry) then
  return { 2, redis.call('GET', entry), redis.call('PTTL', entry) }
end
local left = redis.call('PTTL', lease)
if left > 0 and not forbidden(held, names) then
  return { 1, left }
end
local claim = announce(ARGV[1]) .. ' ' .. owner
redis.call('SET', lease, claim, 'PX', ARGV[3])
return { 0, claim }
