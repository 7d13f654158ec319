-- Releases a mutex or a slot of a limit, if the token is that of its holder.
--
-- KEYS[1]  namespace
-- ARGV[1]  kind: "mutex", "limit" or "breaker"
-- ARGV[2]  name
-- ARGV[3]  token of the holder
--
-- Returns 1, or 0 where another, or nobody, has it.

local namespace, kind, name, token = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
if kind == "limit" then
    return redis.call("zrem", namespace .. ":__slots__." .. name, token)
elseif kind == "mutex" then
    local key = namespace .. ":__mutex__." .. name
    if redis.call("get", key) == token then
        return redis.call("del", key)
    end
end
return 0
