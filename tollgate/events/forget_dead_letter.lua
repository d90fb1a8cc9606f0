-- Forgets one dead letter.
--
-- KEYS  letters (hash: id -> letter), bytes (their sum)
-- ARGV  id
local length = redis.call('HSTRLEN', KEYS[1], ARGV[1])
if length > 0 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('DECRBY', KEYS[2], length)
end
return length
