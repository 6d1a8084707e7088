-- Removes an entry, and forbids the fills of its key; whether there was a live one.
-- KEYS: …, the entry. ARGV: the channel, the shard, a notice or none.
--
-- Removal comes first: a server without memory refuses a script whose first write needs some.

local entry = KEYS[4]
local groups = groups_of(entry)
if redis.call('UNLINK', entry) == 1 then
  local name = { entry:sub(#space + 3) }
  strike(entries, name)
  for _, group in ipairs(groups or {}) do
    strike(space .. 'i:' .. group, name)
  end
end
forbid(entry:sub(#space + 1))
tell(ARGV[1], ARGV[2], ARGV[3])
return groups and 1 or 0
