-- Prolongs the lease of a mutex for its holder, who takes it again where nobody has it: a Redis that was away for
-- longer than the lease, or came back with nothing, has freed it.
--
-- KEYS[1]  the mutex
-- ARGV[1]  token of the holder
-- ARGV[2]  lease in milliseconds
--
-- Returns 1; 2 where it was taken again; 0 where another has it.

local holder = redis.call("get", KEYS[1])
if holder and holder ~= ARGV[1] then
    return 0
end
redis.call("set", KEYS[1], ARGV[1], "px", ARGV[2])
return holder and 1 or 2
