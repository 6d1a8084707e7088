-- Gives a live entry another lifetime; whether there was one.
-- KEYS: …, the entry. ARGV: milliseconds, or nothing for ever.

local entry = KEYS[4]
local groups = groups_of(entry)
if not groups then
  return 0
end
local indexes = { entries }
for _, group in ipairs(groups) do
  indexes[#indexes + 1] = space .. 'i:' .. group
end
check(indexes)
local expiry = 'inf'
if ARGV[1] == '' then
  redis.call('PERSIST', entry)
else
  expiry = digits(millis + ARGV[1])
  redis.call('PEXPIREAT', entry, expiry)
end
local name = entry:sub(#space + 3)
for _, index in ipairs(indexes) do
  list(index, name, expiry)
  settle(index)
end
return 1
