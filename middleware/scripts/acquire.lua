-- Takes a mutex, if it is free.
--
-- KEYS[1]  the mutex
-- KEYS[2]  the counter of its fencing numbers
-- ARGV[1]  token of the taker
-- ARGV[2]  lease in milliseconds
--
-- Returns a fencing number, larger than all before it, or 0 where another holds the mutex.

if redis.call("set", KEYS[1], ARGV[1], "nx", "px", ARGV[2]) then
    return redis.call("incr", KEYS[2])
end
return 0
