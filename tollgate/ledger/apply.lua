-- Applies events of one tenant, each once: dedupe and count in one step (Contract 2).
--
-- KEYS  every key known beforehand; a completion may also reach another hour of the same slot
-- ARGV  prefix, memory in ms, now and until in s, limits of codes and users, overflow, events
-- An event is key, body, kind, hour, the hours before and after it, day, code, user, sku, counts;
-- the last four are JSON texts, so none holds a line end. counts is meter and quantity in turn, one a line. Quantities stay
-- strings: a Lua number is exact to 2^53 only.
local prefix, memory_ms, now, until_s = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local max_codes, max_users, overflow = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local hours, pairs_kept, pairs_until = prefix .. 'hours', prefix .. 'pairs', prefix .. 'pairs_until'
local refreshed = {}  -- hours whose ids this call wrote already

local function add(hash, field, sign, quantity)
  local sum = redis.call('HINCRBY', hash, field, sign .. quantity)
  if sum == 0 then redis.call('HDEL', hash, field) end
end

local function count(hash, row, sign, counts)
  add(hash, '[' .. row .. ']', sign, '1')
  for meter, quantity in string.gmatch(counts, '([^\n]+)\n([^\n]+)') do
    if quantity ~= '0' then add(hash, '[' .. row .. ',"q",' .. meter .. ']', sign, quantity) end
    add(hash, '[' .. row .. ',"n",' .. meter .. ']', sign, '1')
  end
end

-- Both cells of a place (hour, day, code, user) take a usage (sku, counts), or give it back ('-').
local function book(place, usage, sign)
  local payer = place.code .. ','
  count(prefix .. 'money:' .. place.hour, payer .. usage.sku, sign, usage.counts)
  local user = payer .. place.user .. ','
  count(prefix .. 'users:' .. place.day, user .. usage.sku, sign, usage.counts)
end

-- The name itself, or the overflow that all names beyond the limit share.
local function within(set, name, limit)
  if name == 'null' or redis.call('SISMEMBER', set, name) == 1 then return name end
  if redis.call('SCARD', set) >= limit then return overflow end
  redis.call('SADD', set, name)
  return name
end

local function place_of(event)
  return {
    hour = event.hour,
    day = event.day,
    code = within(prefix .. 'codes', event.code, max_codes),
    user = within(prefix .. 'names:' .. event.day, event.user, max_users),
  }
end

-- A pair is a pending event and its completion. State: open (the pending came), ahead (the
-- completion came first), done (both came). Open and ahead hold what it takes to take them back.
local function keep_pair(key, state, place, usage)
  local entry = state
  if place then
    entry = table.concat({state, place.hour, place.day, place.code, place.user, usage.sku,
      usage.counts}, '\n')
  end
  redis.call('HSET', pairs_kept, key, entry)
  redis.call('ZADD', pairs_until, until_s, key)
end

local function pair_of(key)
  local entry = redis.call('HGET', pairs_kept, key)
  if not entry then return nil end
  local line = '\n?([^\n]*)'
  local pair = {}
  pair.state, pair.hour, pair.day, pair.code, pair.user, pair.sku, pair.counts =
    string.match(entry, '^(%a+)' .. string.rep(line, 5) .. '\n?(.*)$')
  return pair
end

local function forget_pairs()
  local old = redis.call('ZRANGEBYSCORE', pairs_until, '-inf', now, 'LIMIT', 0, 1000)
  for _, key in ipairs(old) do
    redis.call('HDEL', pairs_kept, key)
    redis.call('ZREM', pairs_until, key)
  end
end

-- Whether an event that is no completion took the key, in any hour.
local function taken(key)
  for _, hour in ipairs(redis.call('ZRANGEBYSCORE', hours, '(' .. now, '+inf')) do
    if redis.call('HEXISTS', prefix .. 'ids:' .. hour, key) == 1 then return true end
  end
  return false
end

local function apply_completion(event, pair)
  if pair and pair.state == 'open' then
    book(pair, pair, '-')
    book(pair, event, '')
    keep_pair(event.key, 'done')
    return 'completed'
  end
  if pair or taken(event.key) then return 'conflict' end
  local place = place_of(event)
  book(place, event, '')
  keep_pair(event.key, 'ahead', place, event)
  return 'applied'
end

local function apply_other(event, pair)
  if pair and pair.state == 'ahead' and event.kind == 'open' then
    book(pair, pair, '-')
    book(place_of(event), pair, '')
    keep_pair(event.key, 'done')
    return 'duplicate'
  end
  if pair then return 'conflict' end
  local place = place_of(event)
  book(place, event, '')
  if event.kind == 'open' then keep_pair(event.key, 'open', place, event) end
  return 'applied'
end

local function forgotten(ids, hour)
  if refreshed[hour] or redis.call('EXISTS', ids) == 1 then return false end
  return redis.call('ZSCORE', hours, hour) and true or false
end

local function remember(ids, field, event)
  redis.call('HSET', ids, field, event.body)
  if refreshed[event.hour] then return end
  refreshed[event.hour] = true
  redis.call('PEXPIRE', ids, memory_ms)
  redis.call('ZADD', hours, 'GT', until_s, event.hour)
end

local function apply(event)
  local completes = event.kind == 'completion'
  local ids, field = prefix .. 'ids:' .. event.hour, event.key .. (completes and 'c' or '')
  local body = redis.call('HGET', ids, field)
  if body then return body == event.body and 'duplicate' or 'conflict' end
  if forgotten(ids, event.hour) then return 'late' end
  for _, hour in ipairs(event.beside) do
    if redis.call('HEXISTS', prefix .. 'ids:' .. hour, field) == 1 then return 'conflict' end
  end
  local outcome = (completes and apply_completion or apply_other)(event, pair_of(event.key))
  if outcome ~= 'conflict' then remember(ids, field, event) end
  return outcome
end

forget_pairs()
local outcomes = {}
for i = 8, #ARGV, 11 do
  outcomes[#outcomes + 1] = apply({
    key = ARGV[i], body = ARGV[i + 1], kind = ARGV[i + 2], hour = ARGV[i + 3],
    beside = {ARGV[i + 4], ARGV[i + 5]}, day = ARGV[i + 6], code = ARGV[i + 7],
    user = ARGV[i + 8], sku = ARGV[i + 9], counts = ARGV[i + 10],
  })
end
return outcomes
