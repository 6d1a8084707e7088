-- Ends the lease that a claim stands for. KEYS: …, the entry, the lease. ARGV: the claim.

release(KEYS[4], ARGV[1])
