-- Takes over what one instance found out of circuits, and answers what the others did.
--
-- KEYS[1]  a hash: circuit -> `until throttled owner`; until is the server's time in ms
-- ARGV     owner, ms that an entry is kept past its time, then per change: circuit,
--          ms until it may be tried again (negative: it is closed), throttled (0 or 1)
-- Of two instances that opened a circuit the later time stands, so that one of them has to look;
-- of nearly the same times the first one that came, or both would take it from each other in turn.
-- Answers circuit, ms left (negative: over), throttled per entry of the others.
local nearly_ms, longest_ms = 250, 24 * 3600 * 1000
local owner, kept_ms = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function read(entry)
  local open_to, throttled, by = string.match(entry, '^(%d+) ([01]) (.*)$')
  return tonumber(open_to), throttled, by
end

for i = 3, #ARGV, 3 do
  local circuit, wait_ms, throttled = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  if wait_ms < 0 then
    redis.call('HDEL', KEYS[1], circuit)
  else
    local open_to = now + wait_ms
    local held_to, _, by = read(redis.call('HGET', KEYS[1], circuit) or '')
    if not held_to or open_to > held_to + (by == owner and 0 or nearly_ms) then
      local entry = string.format('%.0f %s %s', open_to, throttled, owner)
      redis.call('HSET', KEYS[1], circuit, entry)
    end
  end
end

local others, last = {}, now
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local open_to, throttled, by = read(all[i + 1])
  if not open_to or open_to + kept_ms < now or open_to > now + longest_ms then
    redis.call('HDEL', KEYS[1], all[i])
  else
    last = math.max(last, open_to)
    if by ~= owner then
      others[#others + 1] = all[i]
      others[#others + 1] = string.format('%.0f', open_to - now)
      others[#others + 1] = throttled
    end
  end
end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', last - now + kept_ms + 1000))
return others
