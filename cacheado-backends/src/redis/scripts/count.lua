-- How many live entries an index lists. KEYS: …, the index.

return redis.call('ZCOUNT', KEYS[4], digits(millis), 'inf')
