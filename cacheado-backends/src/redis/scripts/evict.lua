-- Removes an entry, and forbids the fills of its key; whether there was a live one.
-- KEYS: …, the entry. ARGV: the channel, the shard, a notice or none.
--
-- Removal comes first: a server without memory refuses a script whose first write needs some.

local was_there = remove(KEYS[4])
forbid(KEYS[4]:sub(#space + 1))
tell(ARGV[1], ARGV[2], ARGV[3])
return was_there and 1 or 0
