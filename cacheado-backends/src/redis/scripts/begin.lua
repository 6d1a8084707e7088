-- Announces a fill: what has been forbidden until now, and the generation.
-- ARGV: a nonce, should there be no generation yet.

local first = redis.call('ZRANGE', fences, 0, 0, 'WITHSCORES')
if not first[1] then
  redis.call('ZADD', fences, 0, ARGV[1])
  keep(fences)
  return '0 ' .. ARGV[1]
end
keep(fences)
local last = redis.call('ZRANGE', fences, -1, -1, 'WITHSCORES')
return digits(math.abs(last[2])) .. ' ' .. first[1]
