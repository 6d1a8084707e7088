-- Stores a value whatever is there, and forbids the fills of its key.
-- KEYS: …, the entry, the indexes of its groups. ARGV: the value, its milliseconds or nothing, the channel, the
-- shard, a notice or none.

store(KEYS[4], ARGV[1], ARGV[2])
forbid(KEYS[4]:sub(#space + 1))
tell(ARGV[3], ARGV[4], ARGV[5])
