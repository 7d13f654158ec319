-- Prolongs the lease of a mutex for its holder.
--
-- KEYS[1]  the mutex
-- ARGV[1]  token of the holder
-- ARGV[2]  lease in milliseconds
--
-- Returns 1, or 0 where the mutex is lost.

if redis.call("get", KEYS[1]) == ARGV[1] then
    return redis.call("pexpire", KEYS[1], ARGV[2])
end
return 0
