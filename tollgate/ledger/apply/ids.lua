-- The ids that are remembered: records in the buckets of a span of hours. A record begins with a
-- field, whether it completes and the digest of its key; behind that stand the hour and the body.

local FIELD, RECORD = 17, 26  -- bytes
local BUCKET = 6              -- records, on average, when the next bucket begins to be filled
local COUNT = 'n'             -- beside the buckets: how many records they have

local spans, hours = {}, {}

-- Linear hashing: of 2^k slots only the first `buckets` are begun; the others' ids are still in
-- the bucket that will be split for them.
local function size_of(buckets)
  local size = 1
  while size < buckets do size = size * 2 end
  return size
end

local function hash_of(field)
  local a, b, c, d = byte(field, 2, 5)
  return ((d * 256 + c) * 256 + b) * 256 + a
end

local function bucket_of(hash, buckets, size)
  local bucket = hash % size
  if bucket >= buckets then return bucket - size / 2 end
  return bucket
end

-- The names of buckets, each made when it is asked for.
local function names_of_buckets()
  return setmetatable({}, {__index = function(names, bucket)
    names[bucket] = format('%d', bucket)
    return names[bucket]
  end})
end

local function span_at(name)
  local span = spans[name]
  if span then return span end
  local ids = prefix .. 'ids:' .. name
  local count = redis.call('HGET', ids, COUNT)
  span = {ids = ids, is_kept = count, count = tonumber(count or 0)}
  if not span.count then return error(ids .. ' is not what a ledger writes') end
  span.texts, span.new, span.added, span.hashes = {}, {}, {}, {}
  span.names = names_of_buckets()
  span.buckets = floor(span.count / BUCKET) + 1
  span.size = size_of(span.buckets)
  spans[name] = span
  return span
end

-- An hour remembers its ids until a time that each write there puts off. Once it has forgotten
-- them it takes no more.
local function hour_of(name)
  local hour = hours[name]
  if hour then return hour end
  local known_until_s, of_day = redis.call('ZSCORE', HOURS, name), tonumber(sub(name, -2))
  local first = format('%02d', of_day - of_day % batch.span_h)
  hour = {span = span_at(sub(name, 1, -3) .. first), letter = char(65 + of_day)}
  hour.is_forgotten = known_until_s and (not hour.span.is_kept or tonumber(known_until_s) <= now_s)
  hours[name] = hour
  return hour
end

local function read_buckets(span, wanted)
  local fields = {}
  for i, bucket in ipairs(wanted) do fields[i] = span.names[bucket] end
  for i, text in ipairs(in_parts('HMGET', span.ids, fields)) do
    span.texts[wanted[i]] = text or ''
  end
end

-- The bodies of a field in a text of records, by the letter of the hour; nil if there are none.
local function bodies_in(text, field)
  local at, bodies = find(text, field, 1, true), nil
  while at do
    if at % RECORD == 1 then
      bodies = bodies or {}
      bodies[sub(text, at + FIELD, at + FIELD)] = sub(text, at + FIELD + 1, at + RECORD - 1)
    end
    at = find(text, field, at + 1, true)
  end
  return bodies
end

-- The same of all that a span remembers.
local function found_in(span, field, hash)
  local new = span.new[field]
  if span.count == 0 then return new and bodies_in(new, field) end
  local bucket = bucket_of(hash, span.buckets, span.size)
  if not span.texts[bucket] then read_buckets(span, {bucket}) end
  local text = span.texts[bucket]
  return bodies_in(new and text .. new or text, field)
end

local function remember(hour, field, hash, body)
  local span, record, count = hour.span, field .. hour.letter .. body, #hour.span.added + 1
  span.new[field] = (span.new[field] or '') .. record
  span.added[count], span.hashes[count] = record, hash
  hour.is_written = true
end

-- Wants the bucket of a field, unless it is read or wanted already.
local function want(wanted, span, hash)
  if span.count == 0 then return end
  local bucket = bucket_of(hash, span.buckets, span.size)
  if span.texts[bucket] == nil then
    span.texts[bucket] = false
    local buckets = entry(wanted, span)
    buckets[#buckets + 1] = bucket
  end
end

-- Reads the buckets that are split when a span comes to have so many.
local function read_split(span, buckets)
  local splits, wanted = {}, {}
  for bucket = span.buckets, buckets - 1 do
    local source = bucket
    while source >= span.buckets do source = source - size_of(source + 1) / 2 end
    if not splits[source] and not span.texts[source] then wanted[#wanted + 1] = source end
    splits[source] = true
  end
  if span.count > 0 then read_buckets(span, wanted) end
  return splits
end

-- What becomes of a span's buckets: fields and texts to set, and fields to remove.
local function plan_of_ids(span)
  local count = span.count + #span.added
  local buckets = floor(count / BUCKET) + 1
  local size, texts, splits = size_of(buckets), {}, read_split(span, buckets)
  for source in pairs(splits) do
    local text = span.texts[source] or ''
    texts[source] = texts[source] or ''
    for at = 1, #text, RECORD do
      local record = sub(text, at, at + RECORD - 1)
      local bucket = bucket_of(hash_of(record), buckets, size)
      texts[bucket] = (texts[bucket] or '') .. record
    end
  end
  for i, record in ipairs(span.added) do
    local bucket = bucket_of(span.hashes[i], buckets, size)
    texts[bucket] = (texts[bucket] or span.texts[bucket] or '') .. record
  end
  local plan = {set = {COUNT, format('%d', count)}, remove = {}}
  for bucket, text in pairs(texts) do
    if text == '' then
      plan.remove[#plan.remove + 1] = span.names[bucket]
    else
      local count = #plan.set
      plan.set[count + 1], plan.set[count + 2] = span.names[bucket], text
    end
  end
  return plan
end
