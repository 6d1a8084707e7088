-- Announces a fill. ARGV: a nonce, should there be no generation yet.

return announce(ARGV[1])
