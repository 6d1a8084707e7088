-- What all scripts begin with. The layout of the keys is in `keys.rs`, that of a value in `value.rs`.
--
-- KEYS: the index of all entries, the fences, the sequence of notices, and what the script works on.
-- Keys that are found in a value are of the same slot, by their hash tag.

local entries, fences, sequence = KEYS[1], KEYS[2], KEYS[3]
local space = entries:sub(1, -2)

local clock = redis.call('TIME')
local micros = clock[1] * 1000000 + clock[2]
local millis = math.floor(micros / 1000)

local DAY = 86400000           -- milliseconds that fences and the sequence outlive their last use by
local WINDOW = 660 * 1000000   -- microseconds that a fence is kept for: FILL_WINDOW, and a minute
local MOST = 100000            -- fences that are kept
local BIT = 100                -- things of the past that one call clears away, at most

-- A number as Redis reads it: Lua would write a large one as 1.7e+15.
local function digits(number)
  return string.format('%.0f', number)
end

-- Lists of groups that have been read: entries that lie together have the same.
local read = {}

-- The groups that are written in a text, each after its length; nil if it is not such a text.
local function groups_in(text)
  local at, groups = 1, {}
  while at <= #text do
    if at == #text then
      return nil
    end
    local size = struct.unpack('>I2', text, at)
    at = at + 2 + size
    if at - 1 > #text then
      return nil
    end
    groups[#groups + 1] = text:sub(at - size, at - 1)
  end
  return groups
end

-- The groups that an entry was stored with; nil if there is none, or if it is none of ours.
local function groups_of(entry)
  local tail = redis.pcall('GETRANGE', entry, -256, -1)
  if type(tail) ~= 'string' or #tail < 9 or tail:byte(-1) ~= 0xC1 then
    return nil
  end
  local length = struct.unpack('>I4', tail, #tail - 8)
  if length + 9 > #tail then
    tail = redis.call('GETRANGE', entry, -9 - length, -1)
    if #tail < length + 9 then
      return nil
    end
  end
  local text = tail:sub(-9 - length, -10)
  read[text] = read[text] or groups_in(text)
  return read[text]
end

-- Brings an index in line with what it holds: what expired goes, a bit at a time, and the index itself expires
-- together with the last of its entries.
local function settle(index)
  local gone = redis.call('ZCOUNT', index, '-inf', digits(millis - 1000))
  if gone > 0 then
    redis.call('ZREMRANGEBYRANK', index, 0, math.min(gone, BIT) - 1)
  end
  local last = redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')[2]
  if last == 'inf' then
    redis.call('PERSIST', index)
  elseif last then
    redis.call('PEXPIREAT', index, last)
  end
end

-- Lists an entry. Mostly there is nothing to bring in line but the life of an index that gets longer.
local function list(index, name, expiry)
  redis.call('ZADD', index, expiry, name)
  if expiry == 'inf' then
    redis.call('PERSIST', index)
    return
  end
  local left = redis.call('PTTL', index)
  if left < 0 or micros % 8 == 0 then
    settle(index)
  elseif millis + left < tonumber(expiry) then
    redis.call('PEXPIREAT', index, expiry)
  end
end

-- Whether somebody else has put something of another type in the place of an index. It lists nothing.
local function is_foreign(index)
  return type(redis.pcall('ZCARD', index)) == 'table'
end

local function strike(index, names)
  if not is_foreign(index) then
    redis.call('ZREM', index, unpack(names))
    settle(index)
  end
end

-- Ends the script where one of these is no index, before anything is changed: what is there stays listed for as long as
-- it lives.
local function check(indexes)
  for _, index in ipairs(indexes) do
    redis.call('ZCARD', index)
  end
end

-- Stores a value in the groups whose indexes are KEYS[5] and on, and in no other. It is listed first: where somebody else
-- has written over an index, nothing is stored that no eviction would find.
local function store(entry, value, ttl)
  local name = entry:sub(#space + 3)
  local before = groups_of(entry)
  if before then
    check({ entries, unpack(KEYS, 5) })
  end
  local expiry = ttl == '' and 'inf' or digits(millis + ttl)
  list(entries, name, expiry)
  local kept = {}
  for i = 5, #KEYS do
    list(KEYS[i], name, expiry)
    kept[KEYS[i]] = true
  end
  if ttl == '' then
    redis.call('SET', entry, value)
  else
    redis.call('SET', entry, value, 'PXAT', expiry)
  end
  for _, group in ipairs(before or {}) do
    local index = space .. 'i:' .. group
    if not kept[index] then
      strike(index, { name })
    end
  end
end

-- Removes an entry; whether there was a live one.
local function remove(entry)
  local groups = groups_of(entry)
  if redis.call('UNLINK', entry) == 1 then
    local name = { entry:sub(#space + 3) }
    strike(entries, name)
    for _, group in ipairs(groups or {}) do
      strike(space .. 'i:' .. group, name)
    end
  end
  return groups ~= nil
end

-- The fence at a place, with its score; none, if there are none. What somebody else has put in their place, or among them
-- with a score that none is later than, goes with all of them: without the generation, everything is forbidden.
local function fence_at(place)
  local found = redis.pcall('ZRANGE', fences, place, place, 'WITHSCORES')
  if found.err or found[2] and math.abs(found[2]) >= 2 ^ 52 then
    redis.call('UNLINK', fences)
    return {}
  end
  return found
end

-- Forbids the fills that have been announced for a key or a group. Without fences nothing is announced.
--
-- The score of a fence is later than that of all before it, whatever the clock does. The first member is the
-- generation; its score, negative, says up to where fences have been forgotten: who has not seen the last
-- forgotten one is forbidden, so that nothing is lost with them.
local function forbid(name)
  local top = fence_at(-1)
  if not top[1] then
    return
  end
  local at = math.max(micros, math.abs(top[2]) + 1)
  if type(redis.pcall('ZADD', fences, digits(at), name)) == 'table' then
    redis.call('UNLINK', fences)   -- no memory for a fence: without the generation, everything is forbidden
    return
  end
  local old = redis.call('ZCOUNT', fences, '(0', digits(micros - WINDOW))
  local surplus = math.min(BIT, math.max(old, redis.call('ZCARD', fences) - MOST))
  if surplus > 0 then
    local generation = redis.call('ZRANGE', fences, 0, 0)[1]
    local forgotten = redis.call('ZRANGE', fences, surplus, surplus, 'WITHSCORES')[2]
    redis.call('ZREMRANGEBYRANK', fences, 1, surplus)
    redis.call('ZADD', fences, digits(-forgotten), generation)
  end
end

-- Keeps a key for another day. Seldom, as it is written to the replicas.
local function keep(key)
  if redis.call('PTTL', key) < DAY / 2 then
    redis.call('PEXPIRE', key, DAY)
  end
end

-- Announces a fill: the claim says what has been forbidden until now, and the generation. The nonce is the
-- generation's, should there be none yet.
local function announce(nonce)
  local last = fence_at(-1)
  local first = fence_at(0)
  if not first[1] then
    redis.call('ZADD', fences, 0, nonce)
    keep(fences)
    return '0 ' .. nonce
  end
  keep(fences)
  return digits(math.abs(last[2])) .. ' ' .. first[1]
end

-- Whether something of these names has been forbidden since a claim was made. A claim that stands for a lease has
-- its owner's nonce at the end.
local function forbidden(claim, names)
  local seen, generation = claim:match('^(%d+) (%S+)')
  local first = fence_at(0)
  if not seen or first[1] ~= generation or -first[2] > tonumber(seen) then
    return true
  end
  for _, fence in ipairs(redis.call('ZMSCORE', fences, unpack(names))) do
    if fence and tonumber(fence) > tonumber(seen) then
      return true
    end
  end
  return false
end

-- Ends the lease on an entry, if it is the one that a claim stands for. Another's stays.
local function release(entry, claim)
  if not claim:match('^%d+ %S+ %S+$') then
    return
  end
  local lease = space .. 'l:' .. entry:sub(#space + 3)
  if redis.pcall('GET', lease) == claim then
    redis.call('UNLINK', lease)
  end
end

-- Tells the subscribers of a notice; nothing, if there is none. What somebody else has put in the place of the sequence
-- goes: who listens takes the jump for a gap.
local function tell(channel, shard, notice)
  if notice then
    local number = redis.pcall('INCR', sequence)
    if type(number) == 'table' then
      redis.call('UNLINK', sequence)
      number = redis.call('INCR', sequence)
    end
    keep(sequence)
    redis.call('PUBLISH', channel, shard .. ':' .. digits(number) .. ':' .. notice)
  end
end

