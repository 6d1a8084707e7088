-- Removes what an index lists, a part at a time so that the server can do other things in between; how many live
-- entries went, and how many are left to look at. The index of all entries stands for everything.
-- KEYS: …, the index. ARGV: the size of a part, whether it is the first, the channel, the shard, a notice or none.
--
-- Only the first part forbids fills. What is stored while the others are on their way was computed after the
-- eviction began: it may go or stay, but forbidding it again would fence off results that are good.

local index = KEYS[4]
local all = index == entries
local group = index:sub(#space + 3)

local names = redis.call('ZRANGE', index, 0, ARGV[1] - 1)
local removed, live = {}, 0
local elsewhere = {}

local function note(key, name)
  if key ~= index then
    elsewhere[key] = elsewhere[key] or {}
    table.insert(elsewhere[key], name)
  end
end

for _, name in ipairs(names) do
  local entry = space .. 'e:' .. name
  local groups = groups_of(entry)
  local here = all or not groups
  for _, other in ipairs(groups or {}) do
    here = here or other == group
  end
  if here then   -- not so if it expired, and was stored again in other groups
    removed[#removed + 1] = entry
    live = live + (groups and 1 or 0)
    note(entries, name)
    for _, other in ipairs(groups or {}) do
      note(space .. 'i:' .. other, name)
    end
  end
end
if #removed > 0 then
  redis.call('UNLINK', unpack(removed))
end
if #names > 0 then
  redis.call('ZREM', index, unpack(names))
end
for key, listed in pairs(elsewhere) do
  strike(key, listed)
end
settle(index)

if ARGV[2] == '1' then
  if all then
    redis.call('UNLINK', fences)   -- and with them the generation, which all claims are of
  else
    forbid(index:sub(#space + 1))
  end
end
local left = redis.call('ZCARD', index)
if left == 0 then
  tell(ARGV[3], ARGV[4], ARGV[5])
end
return { live, left }
