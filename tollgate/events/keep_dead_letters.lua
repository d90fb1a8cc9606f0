-- Keeps dead letters within bounds; one that is there already stays as it is.
--
-- KEYS  letters (hash: id -> letter), bytes (their sum), beyond (how many were not kept)
-- ARGV  the most letters, the most bytes, then id and letter in turn
-- Returns how many were not kept.
local letters, bytes, beyond = KEYS[1], KEYS[2], KEYS[3]
local max_letters, max_bytes = tonumber(ARGV[1]), tonumber(ARGV[2])
local refused = 0
for i = 3, #ARGV, 2 do
  local id, letter = ARGV[i], ARGV[i + 1]
  if redis.call('HEXISTS', letters, id) == 0 then
    local held = tonumber(redis.call('GET', bytes) or '0')
    if redis.call('HLEN', letters) >= max_letters or held + #letter > max_bytes then
      refused = refused + 1
      redis.call('INCR', beyond)
    else
      redis.call('HSET', letters, id, letter)
      redis.call('INCRBY', bytes, #letter)
    end
  end
end
return refused
