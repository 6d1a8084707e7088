-- Stores what was announced, unless it has been forbidden since; whether it did.
-- KEYS: …, the entry, the indexes of its groups. ARGV: the value, its milliseconds or nothing, the claim, and if it is
-- to be told: the channel, the shard, a notice.

local names = {}
for i = 4, #KEYS do
  names[#names + 1] = KEYS[i]:sub(#space + 1)
end
local stored = not forbidden(ARGV[3], names)
if stored then
  store(KEYS[4], ARGV[1], ARGV[2])
  tell(ARGV[4], ARGV[5], ARGV[6])
end
release(KEYS[4], ARGV[3])
return stored and 1 or 0
