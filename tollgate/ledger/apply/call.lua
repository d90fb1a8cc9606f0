-- Applies events of one tenant, each once: dedupe and count in one step (Contract 2).
--
-- KEYS  every key known beforehand; a completion may also reach other hours, in the same slot
-- ARGV  prefix, memory in s, now in s, limits of codes and users, overflow, digests, batch
--       digests: 24 bytes an event, 16 of its key and 8 of its body
--       batch, in JSON, with indexes from 1 and names and SKUs as JSON texts:
--         hours   [hour, the one before, the one after]
--         span_h  hours of a span of ids
--         places  [hour, code, user]
--         skus    sku
--         shapes  [kind, meter, …]; the kind is plain, open or completion
--         events  [place, sku, shape, a quantity for each meter of the shape, …]
-- Returns a letter for each event: a(pplied), m(ade complete), d(uplicate), c(onflict), l(ate).
--
-- A script that fails does not take back what it wrote. So it looks first, at every key that it
-- will write, and raises what is wrong there; it writes last, and nothing of that can fail.
-- Lua numbers are exact to 2^53 only: a call adds up at most 1,000 quantities up to 10^12, and
-- what is stored stays text (`plus`).

local prefix, memory_s, now_s = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local max_codes, max_users, overflow = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local digests, batch = ARGV[7], cjson.decode(ARGV[8])
local HOURS, PAIRS, PAIRS_UNTIL = prefix .. 'hours', prefix .. 'pairs', prefix .. 'pairs_until'
local CODES, SKUS = prefix .. 'codes', prefix .. 'skus'
local until_s = string.format('%.3f', now_s + memory_s)

local AT_ONCE = 1000  -- arguments of a command; Lua cannot unpack 8,000

local floor, format = math.floor, string.format
local byte, char, find, match, sub = string.byte, string.char, string.find, string.match, string.sub

-- Calls a command with many arguments in parts, and returns all that it returned.
local function in_parts(command, key, arguments)
  local found = {}
  for first = 1, #arguments, AT_ONCE do
    local last = math.min(first + AT_ONCE - 1, #arguments)
    local answer = redis.call(command, key, unpack(arguments, first, last))
    if type(answer) == 'table' then
      for i = 1, #answer do found[#found + 1] = answer[i] end
    end
  end
  return found
end

-- A table of a table, made when it is asked for.
local function entry(of, key)
  local found = of[key]
  if not found then
    found = {}
    of[key] = found
  end
  return found
end
