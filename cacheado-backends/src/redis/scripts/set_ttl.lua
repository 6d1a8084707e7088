-- Gives a live entry another lifetime; whether there was one.
-- KEYS: …, the entry. ARGV: milliseconds, or nothing for ever.

local entry = KEYS[4]
local groups = groups_of(entry)
if not groups then
  return 0
end
local expiry = 'inf'
if ARGV[1] == '' then
  redis.call('PERSIST', entry)
else
  expiry = digits(millis + ARGV[1])
  redis.call('PEXPIREAT', entry, expiry)
end
local name = entry:sub(#space + 3)
list(entries, name, expiry)
settle(entries)
for _, group in ipairs(groups) do
  list(space .. 'i:' .. group, name, expiry)
  settle(space .. 'i:' .. group)
end
return 1
