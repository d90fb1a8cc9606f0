-- A pair is a pending event and its completion. State: open (the pending one came), ahead (the
-- completion came first), done (both came). Open and ahead hold what it takes to take them back.

local pair_texts, pair_changes = {}, {}
local has_pairs = redis.call('HLEN', PAIRS) > 0
local old_pairs = redis.call('ZRANGEBYSCORE', PAIRS_UNTIL, '-inf', ARGV[3], 'LIMIT', 0, AT_ONCE)

local function read_pairs(keys)
  if not has_pairs then return end
  for i, text in ipairs(in_parts('HMGET', PAIRS, keys)) do pair_texts[keys[i]] = text end
  for _, key in ipairs(old_pairs) do pair_texts[key] = nil end
end

local function keep_pair(key, state, place, sku, meters, quantities)
  local parts = {state}
  if place then parts = {state, place.hour, place.code, place.user, sku} end
  for i, meter in ipairs(meters or {}) do
    parts[#parts + 1] = meter
    parts[#parts + 1] = format('%d', quantities[i])
  end
  pair_texts[key] = table.concat(parts, '\n')
  pair_changes[key] = pair_texts[key]
end

local function pair_of(key)
  local text = pair_texts[key]
  if not text then return nil end
  local lines = {}
  for line in string.gmatch(text, '[^\n]+') do lines[#lines + 1] = line end
  local state, hour, code, user, sku = unpack(lines, 1, 5)
  local pair = {state = state, sku = sku, meters = {}, quantities = {}}
  pair.place = hour and place_at(hour, code, user)
  for i = 6, #lines, 2 do
    pair.meters[#pair.meters + 1] = lines[i]
    pair.quantities[#pair.quantities + 1] = tonumber(lines[i + 1])
  end
  return pair
end

local function book_pair(place, pair, sign)
  local sum = {requests = sign, meters = pair.meters}
  for i, quantity in ipairs(pair.quantities) do sum[i] = sign * quantity end
  book(place, pair.sku, sum)
end

local function write_pairs()
  for _, key in ipairs(old_pairs) do
    redis.call('HDEL', PAIRS, key)
    redis.call('ZREM', PAIRS_UNTIL, key)
  end
  for key, text in pairs(pair_changes) do
    redis.call('HSET', PAIRS, key, text)
    redis.call('ZADD', PAIRS_UNTIL, until_s, key)
  end
end
