-- What becomes of each event, in the order of the batch; then all is written.

-- Whether an event that is no completion took the key, in any hour.
local function is_taken(key)
  local field = 'e' .. key
  local names = redis.call('ZRANGEBYSCORE', HOURS, '(' .. ARGV[3], '+inf')
  for _, name in ipairs(names) do hour_of(name) end
  for _, hour in pairs(hours) do
    local found = not hour.is_forgotten and found_in(hour.span, field, hash_of(field))
    if found and found[hour.letter] then return true end
  end
  return false
end

local function completion(key, event, pair)
  local quantities, meters = {unpack(event, 4)}, meters_of(event[3])
  if pair and pair.state == 'open' then
    book_pair(pair.place, pair, -1)
    book(pair.place, sku_id(event[2]), {requests = 1, meters = meters, unpack(quantities)})
    keep_pair(key, 'done')
    return 'm'
  end
  if pair or is_taken(key) then return 'c' end
  local place = place_of(event[1])
  book_event(event)
  keep_pair(key, 'ahead', place, sku_id(event[2]), meters, quantities)
  return 'a'
end

local function other(key, event, pair, kind)
  if pair and pair.state == 'ahead' and kind == 'open' then
    book_pair(pair.place, pair, -1)
    book_pair(place_of(event[1]), pair, 1)
    keep_pair(key, 'done')
    return 'd'
  end
  if pair then return 'c' end
  local place = place_of(event[1])
  book_event(event)
  if kind == 'open' then
    keep_pair(key, 'open', place, sku_id(event[2]), meters_of(event[3]), {unpack(event, 4)})
  end
  return 'a'
end

-- Whether an hour beside has the field.
local function is_beside(places_hours, field, hash)
  for i = 2, 3 do
    local hour = places_hours[i]
    local found = not hour.is_forgotten and found_in(hour.span, field, hash)
    if found and found[hour.letter] then return true end
  end
  return false
end

local hours_of_place = {}

local function outcome_of(event, key, field, hash, body)
  local nearby = hours_of_place[event[1]]
  local hour, kind = nearby[1], batch.shapes[event[3]][1]
  if hour.is_forgotten then return 'l' end
  local found = found_in(hour.span, field, hash)
  local known = found and found[hour.letter]
  if known then return known == body and 'd' or 'c' end
  if (found or nearby.is_at_edge) and is_beside(nearby, field, hash) then return 'c' end
  local outcome = (kind == 'completion' and completion or other)(key, event, pair_of(key), kind)
  if outcome ~= 'c' then remember(hour, field, hash, body) end
  return outcome
end

local function read_places()
  local nearby = {}
  for i, names in ipairs(batch.hours) do
    local own, before, after = hour_of(names[1]), hour_of(names[2]), hour_of(names[3])
    nearby[i] = {own, before, after, is_at_edge = before.span ~= own.span or after.span ~= own.span}
  end
  for i, place in ipairs(batch.places) do hours_of_place[i] = nearby[place[1]] end
end

local function outcomes_of_all()
  local keys, fields, hashes, wanted, outcomes = {}, {}, {}, {}, {}
  read_places()
  for i, event in ipairs(batch.events) do
    local is_completion = batch.shapes[event[3]][1] == 'completion'
    local key, nearby = sub(digests, 24 * i - 23, 24 * i - 8), hours_of_place[event[1]]
    local field = (is_completion and 'c' or 'e') .. key
    local hash = hash_of(field)
    keys[i], fields[i], hashes[i] = key, field, hash
    want(wanted, nearby[1].span, hash)
    if nearby.is_at_edge then
      want(wanted, nearby[2].span, hash)
      want(wanted, nearby[3].span, hash)
    end
  end
  for span, buckets in pairs(wanted) do read_buckets(span, buckets) end
  read_pairs(keys)
  for i, event in ipairs(batch.events) do
    local body = sub(digests, 24 * i - 7, 24 * i)
    outcomes[i] = outcome_of(event, keys[i], fields[i], hashes[i], body)
  end
  return table.concat(outcomes)
end

local outcomes = outcomes_of_all()
book_sums()
local id_plans, row_plans = {}, {}
for name, span in pairs(spans) do
  if #span.added > 0 then id_plans[name] = plan_of_ids(span) end
end
for hash, fields in pairs(rows) do row_plans[hash] = plan_of_rows(hash, fields) end

-- From here on it writes.
for name, plan in pairs(id_plans) do
  in_parts('HSET', spans[name].ids, plan.set)
  in_parts('HDEL', spans[name].ids, plan.remove)
  redis.call('PEXPIRE', spans[name].ids, format('%.0f', memory_s * 1000))
end
for name, hour in pairs(hours) do
  if hour.is_written then redis.call('ZADD', HOURS, 'GT', until_s, name) end
end
in_parts('HSET', SKUS, new_skus)
for hash, plan in pairs(row_plans) do
  in_parts('HSET', hash, plan.set)
  in_parts('HDEL', hash, plan.remove)
end
for set, names in pairs(known_names) do in_parts('SADD', set, names.added) end
write_pairs()
return outcomes
