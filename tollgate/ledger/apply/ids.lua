-- The ids that an hour remembers, packed in buckets: strings of records.

local hours = {}

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

-- An hour: until when it remembers its ids, how many, and how long Redis keeps their keys. Nothing
-- is ever remembered of an hour again once it is forgotten.
local function hour_of(name)
  local hour = hours[name]
  if hour then return hour end
  local ids = prefix .. 'ids:' .. name
  local known, meta = redis.call('ZSCORE', HOURS, name), redis.call('GET', ids)
  hour = {name = name, ids = ids, count = 0, kept_until_s = 0, texts = {}, new = {}, added = {}}
  if meta then
    local count, kept_until_s = string.match(meta, '^(%d+) (%S+)$')
    hour.count, hour.kept_until_s = tonumber(count), tonumber(kept_until_s)
    if not hour.count then return error(ids .. ' is not what a ledger writes') end
  end
  hour.is_forgotten = known and (not meta or tonumber(known) <= now_s)
  hour.buckets = floor(hour.count / BUCKET) + 1
  hour.size = size_of(hour.buckets)
  hours[name] = hour
  return hour
end

local function key_of(hour, bucket) return hour.ids .. ':' .. format('%d', bucket) end

local function read_buckets(wanted)
  local names = {}
  for i, one in ipairs(wanted) do names[i] = key_of(one[1], one[2]) end
  for i, text in ipairs(in_parts('MGET', nil, names)) do
    wanted[i][1].texts[wanted[i][2]] = text or ''
  end
end

-- The digest of the body that a field of an hour has, if the hour remembers the field.
local function body_of(hour, field, hash)
  local body = hour.new[field]
  if body or hour.count == 0 or hour.is_forgotten then return body end
  local bucket = bucket_of(hash, hour.buckets, hour.size)
  if not hour.texts[bucket] then read_buckets({{hour, bucket}}) end
  local text, at = hour.texts[bucket], 0
  repeat
    at = find(text, field, at + 1, true)
  until not at or at % RECORD == 1
  return at and sub(text, at + 17, at + 24)
end

local function remember(hour, field, hash, body)
  hour.new[field] = body
  local added = hour.added
  added[#added + 1] = {field .. body, hash}
end

-- Reads in few commands what most events need.
local function read_ahead(hashes)
  local wanted = {}
  for i, event in ipairs(batch.events) do
    for _, name in ipairs(batch.hours[batch.places[event[1]][1]]) do
      local hour = hours[name] or hour_of(name)
      if hour.count > 0 and not hour.is_forgotten then
        local bucket = bucket_of(hashes[i], hour.buckets, hour.size)
        if hour.texts[bucket] == nil then
          hour.texts[bucket] = false
          wanted[#wanted + 1] = {hour, bucket}
        end
      end
    end
  end
  read_buckets(wanted)
end

-- The buckets that split, or are still empty, when an hour comes to have so many: they are written
-- anew. The last ones begun are looked at, too, so that every key is before it is written.
local function read_split(hour, buckets)
  local splits, wanted, begun = {}, {}, {}
  for bucket = hour.buckets, buckets - 1 do
    local hash = bucket  -- one that belongs there
    local source = bucket_of(hash, hour.buckets, hour.size)
    while source >= hour.buckets do source = source - size_of(source + 1) / 2 end
    if not splits[source] and hour.count > 0 then wanted[#wanted + 1] = {hour, source} end
    splits[source] = true
    begun[#begun + 1] = key_of(hour, bucket)
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

-- What the buckets of an hour become: texts to set, or to append where nothing moves.
local function plan_of(hour)
  local buckets = floor((hour.count + #hour.added) / BUCKET) + 1
  local size, plan = size_of(buckets), {set = {}, append = {}}
  plan.splits = read_split(hour, buckets)
  for source in pairs(plan.splits) do
    local text = hour.texts[source] or ''
    for at = 1, #text, RECORD do
      local record = sub(text, at, at + RECORD - 1)
      put(plan.set, bucket_of(hash_of(record), buckets, size), record)
    end
  end
  for _, added in ipairs(hour.added) do
    local record, hash = added[1], added[2]
    local old = bucket_of(hash, hour.buckets, hour.size)
    local is_new = plan.splits[old] or (hour.texts[old] or '') == ''
    put(is_new and plan.set or plan.append, bucket_of(hash, buckets, size), record)
  end
  return plan
end

-- Keys of ids live longer than their hour remembers, so that few writes need to touch them all;
-- buckets outlive the key that says that they are there.
local function keep(hour)
  if now_s + memory_s <= hour.kept_until_s then return end
  hour.kept_until_s = now_s + memory_s + SLACK_S
  if hour.count == 0 then return end
  local ms = format('%.0f', (memory_s + 2 * SLACK_S) * 1000 + 1)
  for bucket = 0, hour.buckets - 1 do redis.call('PEXPIRE', key_of(hour, bucket), ms) end
end

local function write_ids(hour, plan)
  local left_s = hour.kept_until_s - now_s
  local ms = format('%.0f', (left_s + SLACK_S) * 1000 + 1)
  for bucket in pairs(plan.splits) do
    if not plan.set[bucket] then redis.call('DEL', key_of(hour, bucket)) end
  end
  for bucket, records in pairs(plan.set) do
    redis.call('SET', key_of(hour, bucket), table.concat(records), 'PX', ms)
  end
  for bucket, records in pairs(plan.append) do
    redis.call('APPEND', key_of(hour, bucket), table.concat(records))
  end
  local meta = format('%d %.3f', hour.count + #hour.added, hour.kept_until_s)
  redis.call('SET', hour.ids, meta, 'PX', format('%.0f', left_s * 1000 + 1))
  redis.call('ZADD', HOURS, 'GT', until_s, hour.name)
end
