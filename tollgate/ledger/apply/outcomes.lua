-- What becomes of each event, in the order of the batch; then all is written.

-- Whether an event that is no completion took the key, in any hour.
local function is_taken(key)
  local names = redis.call('ZRANGEBYSCORE', HOURS, '(' .. ARGV[3], '+inf')
  for _, name in ipairs(names) do hour_of(name) end
  local field = 'e' .. key
  for _, hour in pairs(hours) do
    if body_of(hour, field, hash_of(field)) then return true end
  end
  return false
end

local function completion(key, event, pair)
  local quantities, meters = {unpack(event, 4)}, meters_of(event[3])
  if pair and pair.state == 'open' then
    book_pair(pair.place, pair, -1)
    book(pair.place, sku_id(event[2]), meters, {requests = 1, unpack(quantities)})
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

local function outcome_of(event, field, hash, body)
  local names = batch.hours[batch.places[event[1]][1]]
  local hour, kind = hours[names[1]], batch.shapes[event[3]][1]
  if hour.is_forgotten then return 'l' end
  local found = body_of(hour, field, hash)
  if found then return found == body and 'd' or 'c' end
  if body_of(hours[names[2]], field, hash) or body_of(hours[names[3]], field, hash) then
    return 'c'
  end
  local key = sub(field, 2)
  local outcome = (kind == 'completion' and completion or other)(key, event, pair_of(key), kind)
  if outcome ~= 'c' then remember(hour, field, hash, body) end
  return outcome
end

local function outcomes_of_all()
  local fields, hashes, outcomes = {}, {}, {}
  for i, event in ipairs(batch.events) do
    local is_completion = batch.shapes[event[3]][1] == 'completion'
    local field = (is_completion and 'c' or 'e') .. sub(digests, 24 * i - 23, 24 * i - 8)
    fields[i], hashes[i] = field, hash_of(field)
  end
  read_ahead(hashes)
  read_pairs()
  for i, event in ipairs(batch.events) do
    outcomes[i] = outcome_of(event, fields[i], hashes[i], sub(digests, 24 * i - 7, 24 * i))
  end
  return table.concat(outcomes)
end

local outcomes = outcomes_of_all()
book_sums()
local id_plans, row_plans = {}, {}
for _, hour in pairs(hours) do
  if #hour.added > 0 then id_plans[hour] = plan_of(hour) end
end
for hash, fields in pairs(rows) do row_plans[hash] = plan_of_rows(hash, fields) end

-- From here on it writes.
for hour in pairs(id_plans) do keep(hour) end
for hour, plan in pairs(id_plans) do write_ids(hour, plan) end
in_parts('HSET', SKUS, new_skus)
for hash, plan in pairs(row_plans) do
  in_parts('HSET', hash, plan.set)
  in_parts('HDEL', hash, plan.remove)
end
for set, names in pairs(known_names) do in_parts('SADD', set, names.added) end
write_pairs()
return outcomes
