-- The names of live entries with a prefix, a part at a time: a cursor, and names.
-- KEYS: the index of all entries, …. ARGV: the cursor, the prefix.

local part = redis.call('ZSCAN', entries, ARGV[1], 'COUNT', 1000)
local names = {}
for i = 1, #part[2], 2 do
  local name = part[2][i]
  if name:sub(1, #ARGV[2]) == ARGV[2] and groups_of(space .. 'e:' .. name) then
    names[#names + 1] = name
  end
end
return { part[1], names }
