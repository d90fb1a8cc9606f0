-- Who pays and what for: names within their limits, and the numbers of SKUs.

local known_names = {}  -- by set: the names that it has, how many, and those to add

local function names_of(set, limit)
  local names = known_names[set]
  if not names then
    names = {has = {}, count = redis.call('SCARD', set), limit = limit, added = {}}
    known_names[set] = names
  end
  return names
end

-- The name itself, or the overflow that all names beyond the limit share.
local function within(set, name, limit)
  local names = names_of(set, limit)
  if name == 'null' or names.has[name] then return name end
  if redis.call('SISMEMBER', set, name) == 0 then
    if names.count >= names.limit then return overflow end
    names.count = names.count + 1
    names.added[#names.added + 1] = name
  end
  names.has[name] = true
  return name
end

local function place_at(hour, code, user)
  local money, users = prefix .. 'money:' .. hour, prefix .. 'users:' .. sub(hour, 1, 10)
  return {hour = hour, code = code, user = user, money = money, users = users}
end

local places = {}

local function place_of(index)
  local place = places[index]
  if place then return place end
  local hour, code, user = unpack(batch.places[index])
  hour = batch.hours[hour][1]
  code = within(CODES, code, max_codes)
  user = within(prefix .. 'names:' .. sub(hour, 1, 10), user, max_users)
  places[index] = place_at(hour, code, user)
  return places[index]
end

local sku_count, sku_ids, new_skus = redis.call('HLEN', SKUS), {}, {}

-- A SKU's number in the table of the tenant's SKUs, as text.
local function sku_id(index)
  local id = sku_ids[index]
  if id then return id end
  id = redis.call('HGET', SKUS, batch.skus[index])
  if not id then
    id = format('%d', sku_count + #new_skus / 2)
    new_skus[#new_skus + 1] = batch.skus[index]
    new_skus[#new_skus + 1] = id
  end
  sku_ids[index] = id
  return id
end
