-- The ids that are remembered: records in the buckets of a day. A field is what a record begins
-- with, whether it completes and the digest of its key; behind it stand the hour and the body.

local FIELD, RECORD = 17, 26  -- bytes
local BUCKET = 20             -- records, on average, when the next bucket begins to be filled
local SLACK_S = memory_s / 16

local days, hours = {}, {}

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

-- A day: how many ids it has, and until when Redis surely keeps their keys.
local function day_of(name)
  local day = days[name]
  if day then return day end
  local ids = prefix .. 'ids:' .. name
  local meta = redis.call('GET', ids)
  day = {ids = ids, count = 0, kept_until_s = 0, is_kept = meta}
  day.keys, day.texts, day.new, day.added, day.hashes = {}, {}, {}, {}, {}
  if meta then
    local count, kept_until_s = match(meta, '^(%d+) (%S+)$')
    day.count, day.kept_until_s = tonumber(count), tonumber(kept_until_s)
    if not day.count then return error(ids .. ' is not what a ledger writes') end
  end
  day.buckets = floor(day.count / BUCKET) + 1
  day.size = size_of(day.buckets)
  days[name] = day
  return day
end

-- An hour remembers its ids until a time that each write there puts off. Once it has forgotten
-- them it takes no more.
local function hour_of(name)
  local hour = hours[name]
  if hour then return hour end
  local known_until_s = redis.call('ZSCORE', HOURS, name)
  hour = {name = name, day = day_of(sub(name, 1, 10)), letter = string.char(65 + sub(name, -2))}
  hour.is_forgotten = known_until_s and (not hour.day.is_kept or tonumber(known_until_s) <= now_s)
  hours[name] = hour
  return hour
end

local function key_of(day, bucket)
  local key = day.keys[bucket]
  if not key then
    key = day.ids .. ':' .. format('%d', bucket)
    day.keys[bucket] = key
  end
  return key
end

local function read_buckets(wanted)
  local names = {}
  for i, one in ipairs(wanted) do names[i] = key_of(one[1], one[2]) end
  for i, text in ipairs(in_parts('MGET', nil, names)) do
    wanted[i][1].texts[wanted[i][2]] = text or ''
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

-- The same of all that a day remembers.
local function found_in(day, field, hash)
  local new = day.new[field]
  if day.count == 0 and not new then return nil end
  local bucket = bucket_of(hash, day.buckets, day.size)
  if not day.texts[bucket] then read_buckets({{day, bucket}}) end
  local text = day.texts[bucket]
  return bodies_in(new and text .. new or text, field)
end

local function remember(hour, field, hash, body)
  local day, record, count = hour.day, field .. hour.letter .. body, #hour.day.added + 1
  day.new[field] = (day.new[field] or '') .. record
  day.added[count], day.hashes[count] = record, hash
  hour.is_written = true
end

-- Wants the bucket of a field, unless it is read or wanted already.
local function want(wanted, day, hash)
  if day.count == 0 then return end
  local bucket = bucket_of(hash, day.buckets, day.size)
  if day.texts[bucket] == nil then
    day.texts[bucket] = false
    wanted[#wanted + 1] = {day, bucket}
  end
end

-- The buckets that are split when a day comes to have so many: they are written anew. Those that
-- begin are looked at, too, so that every key is before it is written.
local function read_split(day, buckets)
  local splits, wanted, begun = {}, {}, {}
  for bucket = day.buckets, buckets - 1 do
    local source = bucket
    while source >= day.buckets do source = source - size_of(source + 1) / 2 end
    if not splits[source] and day.count > 0 then wanted[#wanted + 1] = {day, source} end
    splits[source] = true
    begun[#begun + 1] = key_of(day, bucket)
  end
  read_buckets(wanted)
  in_parts('EXISTS', nil, begun)
  return splits
end

local function put(texts, bucket, record)
  local records = texts[bucket]
  if records then
    records[#records + 1] = record
  else
    texts[bucket] = {record}
  end
end

-- What the buckets of a day become: texts to set, or to append where nothing moves.
local function plan_of(day)
  local buckets = floor((day.count + #day.added) / BUCKET) + 1
  local size, plan = size_of(buckets), {set = {}, append = {}}
  plan.splits = read_split(day, buckets)
  for source in pairs(plan.splits) do
    local text = day.texts[source] or ''
    for at = 1, #text, RECORD do
      local record = sub(text, at, at + RECORD - 1)
      put(plan.set, bucket_of(hash_of(record), buckets, size), record)
    end
  end
  for i, record in ipairs(day.added) do
    local hash = day.hashes[i]
    local old, bucket = bucket_of(hash, day.buckets, day.size), bucket_of(hash, buckets, size)
    if plan.splits[old] or (day.texts[old] or '') == '' then
      put(plan.set, bucket, record)
    else
      plan.append[bucket] = (plan.append[bucket] or '') .. record
    end
  end
  return plan
end

-- Keys of ids live longer than their hours remember, so that few writes need to touch them all:
-- only those of another day, and once in a while. Buckets outlive the key that says that they are
-- there.
local function keep(name, day)
  if now_s + memory_s <= day.kept_until_s then return end
  day.kept_until_s = math.max(now_s, ends_s[name]) + memory_s + SLACK_S
  if day.count == 0 then return end
  local ms = format('%d', (day.kept_until_s - now_s + SLACK_S) * 1000 + 1)
  for bucket = 0, day.buckets - 1 do redis.call('PEXPIRE', key_of(day, bucket), ms) end
end

local function write_ids(day, plan)
  local left_s = day.kept_until_s - now_s
  local ms = format('%d', (left_s + SLACK_S) * 1000 + 1)
  for bucket in pairs(plan.splits) do
    if not plan.set[bucket] then redis.call('DEL', key_of(day, bucket)) end
  end
  for bucket, records in pairs(plan.set) do
    redis.call('SET', key_of(day, bucket), table.concat(records), 'PX', ms)
  end
  for bucket, text in pairs(plan.append) do redis.call('APPEND', key_of(day, bucket), text) end
  local meta = format('%d %.3f', day.count + #day.added, day.kept_until_s)
  redis.call('SET', day.ids, meta, 'PX', format('%d', left_s * 1000 + 1))
end
