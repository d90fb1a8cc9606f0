-- The ids that an hour remembers, packed in buckets: strings of records.

local hours = {}

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
  hours[name] = hour
  return hour
end

-- Linear hashing: the index among `buckets`, of which the last ones begun are not yet split.
local function bucket_of(field, buckets)
  local a, b, c, d = string.byte(field, 2, 5)
  local hash, size = ((d % 64 * 256 + c) * 256 + b) * 256 + a, 1
  while size < buckets do size = size * 2 end
  local bucket = hash % size
  if bucket >= buckets then bucket = bucket - size / 2 end
  return bucket
end

-- The bucket from which one among more than `buckets` takes what belongs to it.
local function source_of(bucket, buckets)
  while bucket >= buckets do
    local size = 1
    while size * 2 <= bucket do size = size * 2 end
    bucket = bucket - size
  end
  return bucket
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
local function body_of(hour, field)
  local body = hour.new[field]
  if body or hour.count == 0 or hour.is_forgotten then return body end
  local bucket = bucket_of(field, hour.buckets)
  if not hour.texts[bucket] then read_buckets({{hour, bucket}}) end
  local text, at = hour.texts[bucket], 0
  repeat
    at = find(text, field, at + 1, true)
  until not at or at % RECORD == 1
  return at and sub(text, at + 17, at + 24)
end

local function remember(hour, field, body)
  hour.new[field] = body
  hour.added[#hour.added + 1] = field .. body
end

-- Reads in few commands what most events need.
local function read_ahead(fields)
  local wanted = {}
  for i, event in ipairs(batch.events) do
    for _, name in ipairs(batch.hours[batch.places[event[1]][1]]) do
      local hour = hour_of(name)
      if hour.count > 0 and not hour.is_forgotten then
        local bucket = bucket_of(fields[i], hour.buckets)
        if hour.texts[bucket] == nil then
          hour.texts[bucket] = false
          wanted[#wanted + 1] = {hour, bucket}
        end
      end
    end
  end
  read_buckets(wanted)
end

-- What the buckets of an hour become: texts to set, or to append where nothing moves.
local function plan_of(hour)
  local buckets = floor((hour.count + #hour.added) / BUCKET) + 1
  local plan = {set = {}, append = {}, from = {}}
  local wanted, begun = {}, {}
  for bucket = hour.buckets, buckets - 1 do
    local source = source_of(bucket, hour.buckets)
    if not plan.from[source] then
      plan.from[source] = true
      if hour.count > 0 then wanted[#wanted + 1] = {hour, source} end
    end
    begun[#begun + 1] = key_of(hour, bucket)
  end
  read_buckets(wanted)
  in_parts('EXISTS', nil, begun)  -- so that no bucket is written that was not looked at
  local function put(record)
    local bucket = bucket_of(record, buckets)
    local moves = plan.from[source_of(bucket, hour.buckets)] or (hour.texts[bucket] or '') == ''
    local texts = moves and plan.set or plan.append
    texts[bucket] = texts[bucket] or {}
    table.insert(texts[bucket], record)
  end
  for source in pairs(plan.from) do
    for at = 1, #(hour.texts[source] or ''), RECORD do
      put(sub(hour.texts[source], at, at + RECORD - 1))
    end
  end
  for _, record in ipairs(hour.added) do put(record) end
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
  for bucket in pairs(plan.from) do
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
