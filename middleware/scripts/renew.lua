-- Prolongs the leases of what a run holds.
--
-- KEYS[1]  namespace
-- ARGV[1]  kind: "mutex", "limit" or "breaker"
-- ARGV[2]  name
-- ARGV[3]  token of the holder
-- ARGV[4]  lease in milliseconds
--
-- Returns 1; 2 where a mutex was free and has been taken again: a Redis that was away for longer than the lease, or
-- came back with nothing, has freed it; 0 where another has it.

local namespace, kind, name, token, lease = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
-- A write that needs no memory: after it Redis, even when it has none left, refuses this script none.
redis.call("del", namespace .. ":__none__")
if kind == "mutex" then
    local key = namespace .. ":__mutex__." .. name
    local holder = redis.call("get", key)
    if holder and holder ~= token then
        return 0
    end
    redis.call("set", key, token, "px", lease)
    return holder and 1 or 2
end

local now = redis.call("time")
local till = now[1] * 1000 + math.floor(now[2] / 1000) + lease
if kind == "limit" then
    local slots = namespace .. ":__slots__." .. name
    redis.call("zadd", slots, till, token)
    redis.call("pexpire", slots, 2 * lease)
else
    local key = namespace .. ":__breaker__." .. name
    if redis.call("hget", key, "probe") == token then
        redis.call("hset", key, "probe_until", till)
    end
end
return 1
