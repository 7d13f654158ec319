-- Takes a mutex, if it is free.
--
-- KEYS[1]  namespace
-- ARGV[1]  name of the mutex
-- ARGV[2]  id of the taker's run
-- ARGV[3]  token of the taker: that id, a colon, an id of its own
-- ARGV[4]  lease in milliseconds
-- ARGV[5]  what becomes of a run that finds it taken: "skip", "wait", "buffer_one" or "cancel_running"
--
-- Returns a number and the id of the run that holds it (or ""). The number is that of the fence, larger than all
-- before it; 0 where another run holds the mutex; -1 where an earlier execution of the same run does, whose worker
-- has died or is about to; -2 where one waits already and no second may; -3 where a later run has taken this one's
-- place. Asking again because the reply was lost is answered like the first time.

local namespace, name, run, token, policy = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[5]
local key, fences = namespace .. ":__mutex__." .. name, namespace .. ":__fence__." .. name
-- The run that waits in the place of all others; with "buffer_one" only until its message is parked.
local next_key = namespace .. ":__next__." .. name

local holder = redis.call("get", key)
if holder == token then
    return { tonumber(redis.call("get", fences)), run }
end
local waiting = policy ~= "skip" and policy ~= "wait" and redis.call("get", next_key)
if waiting and waiting ~= run and policy == "cancel_running" then
    local parked = redis.call("get", next_key .. "." .. run)
    if parked then
        redis.call("del", next_key .. "." .. run)
        return { -3, "" }
    end
end
if not holder then
    if policy == "cancel_running" then
        -- Whatever is parked is older.
        redis.call("set", next_key, run, "px", 604800000)
    elseif waiting == run then
        redis.call("del", next_key)
    end
    redis.call("del", next_key .. "." .. run)
    local fence = redis.call("incr", fences)
    redis.call("set", key, token, "px", ARGV[4])
    return { fence, run }
end

local holding = string.match(holder, "^(.*):") or ""
if holding == run then
    return { -1, run }
end
if policy == "buffer_one" then
    local lot = namespace .. ":__lot__.mutex|" .. name
    if (waiting and waiting ~= run) or redis.call("llen", lot) > 0 then
        return { -2, holding }
    end
    redis.call("set", next_key, run, "px", 2000)
elseif policy == "cancel_running" then
    redis.call("set", next_key, run, "px", 604800000)
    redis.call("set", next_key .. "." .. run, "1", "px", 604800000)
end
return { 0, holding }
