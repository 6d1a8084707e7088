-- Tells a notice of what has been done on several shards. ARGV: the channel, the shard, the notice.

tell(ARGV[1], ARGV[2], ARGV[3])
