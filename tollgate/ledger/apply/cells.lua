-- Cells: one field a row (payer and SKU), which holds all of its counters as JSON:
--   [requests,{meter:[quantity,requests],…}]

local sums = {}  -- what events add, by place, SKU and shape
local rows = {}  -- what that changes, by hash and field

-- The sum of a decimal text and a whole number below 2^53, as text; exact at any size.
local function plus(text, number)
  if #text < 16 then return format('%.0f', tonumber(text) + number) end
  local low, high = tonumber(sub(text, -15)) + number, tonumber(sub(text, 1, -16))
  local carry = floor(low / 1e15)
  low, high = low - carry * 1e15, high + carry
  if high == 0 then return format('%.0f', low) end
  return format('%.0f%015.0f', high, low)
end

local function row_of(hash, field)
  local fields = rows[hash]
  if not fields then
    fields = {}
    rows[hash] = fields
  end
  local row = fields[field]
  if not row then
    row = {requests = 0, quantities = {}, counted = {}}
    fields[field] = row
  end
  return row
end

local function add(row, requests, meters, quantities)
  row.requests = row.requests + requests
  for i, meter in ipairs(meters) do
    row.quantities[meter] = (row.quantities[meter] or 0) + quantities[i]
    row.counted[meter] = (row.counted[meter] or 0) + requests
  end
end

-- Both cells of a place take what so many requests of a SKU used; negative to take it back.
local function book(place, sku, requests, meters, quantities)
  local day = sub(place.hour, 1, 10)
  local money = '[' .. place.code .. ',' .. sku .. ']'
  local user = '[' .. place.code .. ',' .. place.user .. ',' .. sku .. ']'
  add(row_of(prefix .. 'money:' .. place.hour, money), requests, meters, quantities)
  add(row_of(prefix .. 'users:' .. day, user), requests, meters, quantities)
end

-- The same for one event of the batch, put off until all of its kind are summed up.
local function book_event(event)
  local place, sku, shape = event[1], event[2], event[3]
  local by_sku = sums[place] or {}
  sums[place] = by_sku
  local by_shape = by_sku[sku] or {}
  by_sku[sku] = by_shape
  local sum = by_shape[shape]
  if sum then
    sum.requests = sum.requests + 1
    local quantities = sum.quantities
    for i = 1, #quantities do quantities[i] = quantities[i] + event[i + 3] end
  else
    by_shape[shape] = {requests = 1, quantities = {unpack(event, 4)}}
  end
end

local function meters_of(shape) return {unpack(batch.shapes[shape], 2)} end

local function book_sums()
  for place, by_sku in pairs(sums) do
    for sku, by_shape in pairs(by_sku) do
      for shape, sum in pairs(by_shape) do
        book(place_of(place), sku_id(sku), sum.requests, meters_of(shape), sum.quantities)
      end
    end
  end
end

-- The text of a row after its change; nil when no request is left in it.
local function changed(hash, row, text)
  local requests, meters = string.match(text or '[0,{}]', '^%[(%d+),{(.*)}%]$')
  if not requests then return error(hash .. ' is not what a ledger writes') end
  requests = plus(requests, row.requests)
  if requests == '0' then return nil end
  local parts = {}
  for meter, quantity, counted in string.gmatch(meters, '"([^"]+)":%[(%d+),(%d+)%]') do
    if row.counted[meter] then
      quantity = plus(quantity, row.quantities[meter])
      counted = plus(counted, row.counted[meter])
      row.counted[meter] = nil
    end
    if counted ~= '0' then parts[#parts + 1] = '"' .. meter .. '":[' .. quantity .. ',' .. counted .. ']' end
  end
  for meter, counted in pairs(row.counted) do
    if counted ~= 0 then
      parts[#parts + 1] = format('"%s":[%.0f,%.0f]', meter, row.quantities[meter], counted)
    end
  end
  return '[' .. requests .. ',{' .. table.concat(parts, ',') .. '}]'
end

-- What becomes of a hash's rows: fields and texts to set, and fields to remove.
local function plan_of_rows(hash, fields)
  local names, plan = {}, {set = {}, remove = {}}
  for field in pairs(fields) do names[#names + 1] = field end
  for i, text in ipairs(in_parts('HMGET', hash, names)) do
    local changed_text = changed(hash, fields[names[i]], text)
    if changed_text then
      plan.set[#plan.set + 1] = names[i]
      plan.set[#plan.set + 1] = changed_text
    elseif text then
      plan.remove[#plan.remove + 1] = names[i]
    end
  end
  return plan
end
