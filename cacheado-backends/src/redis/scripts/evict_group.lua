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
local removed, live, unknown = {}, 0, {}
local alike = {}   -- names of entries by their groups
for _, name in ipairs(names) do
  local entry = space .. 'e:' .. name
  local groups = groups_of(entry)
  if groups then
    alike[groups] = alike[groups] or {}
    table.insert(alike[groups], name)
  else
    removed[#removed + 1] = entry
    unknown[#unknown + 1] = name
  end
end

-- Each index is gone through once for all that leave it.
local leave = { [entries] = unknown }
for groups, together in pairs(alike) do
  local here = all
  for _, other in ipairs(groups) do
    here = here or other == group
  end
  if here then   -- not so if they expired, and were stored again in other groups
    live = live + #together
    for _, name in ipairs(together) do
      removed[#removed + 1] = space .. 'e:' .. name
      leave[entries][#leave[entries] + 1] = name
    end
    for _, other in ipairs(groups) do
      local key = space .. 'i:' .. other
      leave[key] = leave[key] or {}
      for _, name in ipairs(together) do
        table.insert(leave[key], name)
      end
    end
  end
end
leave[index] = names
if #removed > 0 then
  redis.call('UNLINK', unpack(removed))
end
for key, listed in pairs(leave) do
  if all and key ~= index and is_foreign(key) then
    redis.call('UNLINK', key)   -- somebody else has written there: all that it has listed goes
  elseif #listed > 0 then
    strike(key, listed)
  end
end

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
