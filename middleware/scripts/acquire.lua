-- Takes a mutex, if it is free.
--
-- KEYS[1]  the mutex
-- KEYS[2]  the counter of its fencing numbers
-- ARGV[1]  token of the taker: the id of its run, a colon, an id of its own
-- ARGV[2]  lease in milliseconds
--
-- Returns a fencing number, larger than all before it; 0 where another run holds the mutex; -1 where an earlier
-- execution of the same run does, whose worker has died or is about to. Asking again because
-- the reply was lost is answered like the first time.

local holder = redis.call("get", KEYS[1])
if holder == ARGV[1] then
    return tonumber(redis.call("get", KEYS[2]))
elseif holder then
    local run = string.match(ARGV[1], "^.*:")
    return run and string.sub(holder, 1, #run) == run and -1 or 0
end
local fence = redis.call("incr", KEYS[2])
redis.call("set", KEYS[1], ARGV[1], "px", ARGV[2])
return fence
