-- Removes an entry, and forbids the fills of its key, unless the fill that was announced has been forbidden since;
-- whether it did.
-- KEYS: …, the entry, the indexes of its groups. ARGV: the claim, the channel, the shard, a notice or none.

local names = {}
for i = 4, #KEYS do
  names[#names + 1] = KEYS[i]:sub(#space + 1)
end
local removed = not forbidden(ARGV[1], names)
if removed then
  remove(KEYS[4])
  forbid(names[1])
  tell(ARGV[2], ARGV[3], ARGV[4])
end
release(KEYS[4], ARGV[1])
return removed and 1 or 0
