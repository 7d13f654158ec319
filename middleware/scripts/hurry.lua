-- Takes a delayed message away from whoever waits with it and puts it at the head of its queue.
--
-- KEYS[1]  namespace
-- ARGV[1]  queue, without its suffix
-- ARGV[2]  Redis message id of the delayed message
-- ARGV[3]  Redis message id of the message that takes its place
-- ARGV[4]  payload of that message
--
-- Returns 1, or 0 where it is no longer delayed. Whoever had it in hand finds its own move refused: it holds it no
-- longer.

local namespace, queue, id = KEYS[1], ARGV[1], ARGV[2]
local delayed = queue .. ".DQ"
if redis.call("hdel", namespace .. ":" .. delayed .. ".msgs", id) == 0 then
    return 0
end
redis.call("lrem", namespace .. ":" .. delayed, 0, id)
for _, broker in ipairs(redis.call("zrange", namespace .. ":__heartbeats__", 0, -1)) do
    redis.call("srem", namespace .. ":__acks__." .. broker .. "." .. delayed, id)
end
redis.call("hset", namespace .. ":" .. queue .. ".msgs", ARGV[3], ARGV[4])
redis.call("lpush", namespace .. ":" .. queue, ARGV[3])
local wake = namespace .. ":__wake__." .. queue
redis.call("lpush", wake, "1")
redis.call("expire", wake, 60)
return 1
