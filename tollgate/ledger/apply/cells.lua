-- Cells: one field a row (payer and SKU), which holds all of its counters as JSON:
--   [requests,{meter:[quantity,requests],…}]
-- A sum is what requests of the same meters add: quantities, and with them `requests` and `meters`.

local EXACT = 9e15  -- whole numbers below it are exact in Lua

local sums = {}  -- of events, by place, SKU and shape in one number
local rows = {}  -- by hash and field: the sums that a row takes

local shapes = {}

local function meters_of(index)
  local meters = shapes[index]
  if not meters then
    meters = {unpack(batch.shapes[index], 2)}
    shapes[index] = meters
  end
  return meters
end

-- Both cells of a place take a sum of a SKU; a negative one takes back.
local function book(place, sku, sum)
  local ending = ',' .. sku .. ']'
  local money = entry(entry(rows, place.money), '[' .. place.code .. ending)
  local user = entry(entry(rows, place.users), '[' .. place.code .. ',' .. place.user .. ending)
  money[#money + 1], user[#user + 1] = sum, sum
end

-- The same for one event of the batch, put off until all of its kind are summed up.
local function book_event(event)
  local kind = (event[1] * 1000 + event[2]) * 1000 + event[3]
  local sum = sums[kind]
  if sum then
    sum.requests = sum.requests + 1
    for i = 1, #sum do sum[i] = sum[i] + event[i + 3] end
  else
    sum = {unpack(event, 4)}
    sum.requests, sum.meters, sum.event = 1, meters_of(event[3]), event
    sums[kind] = sum
  end
end

local function book_sums()
  for _, sum in pairs(sums) do book(place_of(sum.event[1]), sku_id(sum.event[2]), sum) end
end

-- The sum of a decimal text and a whole number, as text; exact at any size.
local function plus(text, number)
  if #text < 16 then return format('%d', text + number) end
  local low, high = sub(text, -15) + number, tonumber(sub(text, 1, -16))
  local carry = floor(low / 1e15)
  low, high = low - carry * 1e15, high + carry
  if high == 0 then return format('%d', low) end
  return format('%d%015d', high, low)
end

-- Most rows have meters that others have, too: these are read by one pattern, and written by one
-- format. A pattern has at most 32 captures.
local layouts, layout_of = {}, {}

local function learn_layout(meters)
  local names = table.concat(meters, ' ')
  if layout_of[names] or #layouts >= 8 or #meters > 15 then return layout_of[names] end
  local read, written, position = {}, {}, {}
  for i, meter in ipairs(meters) do
    read[i] = '"' .. string.gsub(meter, '%p', '%%%0') .. '":%[(%d+),(%d+)%]'
    written[i] = '"' .. meter .. '":[%d,%d]'
    position[meter] = 2 * i
  end
  local layout = {
    pattern = '^%[(%d+),{' .. table.concat(read, ',') .. '}%]$',
    format = '[%d,{' .. table.concat(written, ',') .. '}]',
    position = position,
  }
  layouts[#layouts + 1], layout_of[names] = layout, layout
  return layout
end

-- The layout of a row, and its numbers.
local function numbers_of(row, text)
  if not text then
    local meters = row[1].meters
    layout_of[meters] = layout_of[meters] or learn_layout(meters)
    local numbers = {0}
    for i = 2, 2 * #meters + 1 do numbers[i] = 0 end
    return layout_of[meters], numbers
  end
  for _, layout in ipairs(layouts) do
    local numbers = {match(text, layout.pattern)}
    if numbers[1] then return layout, numbers end
  end
  return nil
end

-- The text of a row after its change, if it has a layout that stays; else nil.
local function changed_by_layout(row, text)
  local layout, numbers = numbers_of(row, text)
  if not layout then return nil end
  for _, sum in ipairs(row) do
    local meters, requests = sum.meters, sum.requests
    if requests < 0 then return nil end
    numbers[1] = numbers[1] + requests
    for i = 1, #meters do
      local at = layout.position[meters[i]]
      if not at then return nil end
      numbers[at], numbers[at + 1] = numbers[at] + sum[i], numbers[at + 1] + requests
      if numbers[at] >= EXACT then return nil end
    end
  end
  return format(layout.format, unpack(numbers))
end

-- What a row takes altogether: requests, and by meter the quantity and the requests.
local function total_of(row)
  local requests, quantities, counts = 0, {}, {}
  for _, sum in ipairs(row) do
    requests = requests + sum.requests
    for i, meter in ipairs(sum.meters) do
      quantities[meter] = (quantities[meter] or 0) + sum[i]
      counts[meter] = (counts[meter] or 0) + sum.requests
    end
  end
  return requests, quantities, counts
end

local function merged(counters, quantities, counts)
  local meters, parts = {}, {}
  local function put(meter, quantity, count)
    if count == '0' then return end
    meters[#meters + 1] = meter
    parts[#parts + 1] = '"' .. meter .. '":[' .. quantity .. ',' .. count .. ']'
  end
  for meter, quantity, count in string.gmatch(counters, '"([^"]+)":%[(%d+),(%d+)%]') do
    put(meter, plus(quantity, quantities[meter] or 0), plus(count, counts[meter] or 0))
    counts[meter] = nil
  end
  for meter, count in pairs(counts) do
    put(meter, format('%d', quantities[meter]), format('%d', count))
  end
  learn_layout(meters)
  return table.concat(parts, ',')
end

-- The text of a row after its change; nil when no request is left in it.
local function changed(hash, row, text)
  local simply = changed_by_layout(row, text)
  if simply then return simply end
  local before, counters = match(text or '[0,{}]', '^%[(%d+),{(.*)}%]$')
  if not before then return error(hash .. ' is not what a ledger writes') end
  local requests, quantities, counts = total_of(row)
  requests = plus(before, requests)
  if requests == '0' then return nil end
  return '[' .. requests .. ',{' .. merged(counters, quantities, counts) .. '}]'
end

-- What becomes of a hash's rows: fields and texts to set, and fields to remove.
local function plan_of_rows(hash, fields)
  local names, plan = {}, {set = {}, remove = {}}
  for field in pairs(fields) do names[#names + 1] = field end
  for i, text in ipairs(in_parts('HMGET', hash, names)) do
    local after = changed(hash, fields[names[i]], text)
    if after then
      plan.set[#plan.set + 1] = names[i]
      plan.set[#plan.set + 1] = after
    elseif text then
      plan.remove[#plan.remove + 1] = names[i]
    end
  end
  return plan
end
