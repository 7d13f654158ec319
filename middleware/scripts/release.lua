-- Releases a mutex, if the token is that of its holder.
--
-- KEYS[1]  the mutex
-- ARGV[1]  token of the holder
--
-- Returns 1, or 0 where another, or nobody, has it.

if redis.call("get", KEYS[1]) == ARGV[1] then
    return redis.call("del", KEYS[1])
end
return 0
