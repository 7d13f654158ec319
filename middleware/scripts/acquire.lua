-- Takes a mutex, if it is free.
--
-- KEYS[1]  namespace
-- ARGV[1]  name of the mutex
-- ARGV[2]  id of the taker's run
-- ARGV[3]  token of the taker: that id, a colon, an id of its own
-- ARGV[4]  lease in milliseconds
-- ARGV[5]  what becomes of a run that finds it taken: "skip", "wait", "buffer_one" or "cancel_running"
-- ARGV[6]  when the run was sent, in ms
--
-- Returns a number and the id of the run that holds it (or ""). The number is that of the fence, larger than all
-- before it; 0 where another run holds the mutex; -1 where an earlier execution of the same run does, whose worker
-- has died or is about to; -2 where one waits already and no second may; -3 where a later run has taken this one's
-- place. Asking again because the reply was lost is answered like the first time.

local namespace, name, run, token, policy, sent = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[5], tonumber(ARGV[6])
local key, fences = namespace .. ":__mutex__." .. name, namespace .. ":__fence__." .. name
-- "<when sent> <run>" of the latest run that has asked; with "buffer_one" only until its message is parked.
local latest = namespace .. ":__latest__." .. name
local week = 604800000

-- A write that needs no memory: after it Redis, even when it has none left, refuses this script none.
redis.call("del", namespace .. ":__none__")
local holder = redis.call("get", key)
if holder == token then
    return { tonumber(redis.call("get", fences)), run }
end
local later, waiting
if policy == "buffer_one" or policy == "cancel_running" then
    later, waiting = string.match(redis.call("get", latest) or "", "^(%d+) (.*)$")
end
if policy == "cancel_running" then
    if waiting and waiting ~= run and tonumber(later) > sent then
        return { -3, "" }
    end
    redis.call("set", latest, string.format("%d %s", sent, run), "px", week)
end
if not holder then
    local fence = redis.call("incr", fences)
    redis.call("set", key, token, "px", ARGV[4])
    return { fence, run }
end

local holding = string.match(holder, "^(.*):") or ""
if holding == run then
    return { -1, run }
end
if policy == "buffer_one" then
    if (waiting and waiting ~= run) or redis.call("llen", namespace .. ":__lot__.mutex|" .. name) > 0 then
        return { -2, holding }
    end
    redis.call("set", latest, string.format("%d %s", sent, run), "px", 2000)
end
return { 0, holding }
