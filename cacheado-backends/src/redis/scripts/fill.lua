-- Stores what was announced, unless it has been forbidden since; whether it did.
-- KEYS: …, the entry, the indexes of its groups. ARGV: the value, its milliseconds or nothing, the claim.

local seen, generation = ARGV[3]:match('^(%d+) (.*)$')
local first = redis.call('ZRANGE', fences, 0, 0, 'WITHSCORES')
if not seen or first[1] ~= generation or -first[2] > tonumber(seen) then
  return 0
end
local names = {}
for i = 4, #KEYS do
  names[#names + 1] = KEYS[i]:sub(#space + 1)
end
for _, fence in ipairs(redis.call('ZMSCORE', fences, unpack(names))) do
  if fence and tonumber(fence) > tonumber(seen) then
    return 0
  end
end
store(KEYS[4], ARGV[1], ARGV[2])
return 1
