-- Takes messages off a queue and puts their ids into the taker's set of unacknowledged messages.
--
-- KEYS[1]  namespace
-- ARGV[1]  broker id
-- ARGV[2]  queue
-- ARGV[3]  the most messages to take
--
-- Returns a flat list of five values a message: id, payload, how often it was rescued from a dead worker, how often it
-- was begun since the first time (or ""), and for how long it was parked (or "", see wake.lua). From a queue that is
-- paused nothing is taken, whatever the taker has heard.
-- The clock is Redis's own, so that the clocks of the machines of a fleet need not agree. A Redis out of memory
-- refuses the first write of a script, if that may need some, and none that follow: here the first one frees it, so
-- that what is there can be worked off.

local namespace, broker, queue = KEYS[1], ARGV[1], ARGV[2]
local control = namespace .. ":__control__"
local paused = string.sub(queue, -3) ~= ".DQ" and redis.call("hmget", control, "paused:all:", "paused:queue:" .. queue)
local ids = not (paused and (paused[1] or paused[2])) and redis.call("lpop", namespace .. ":" .. queue, ARGV[3])
local now = redis.call("time")
redis.call("zadd", namespace .. ":__heartbeats__", now[1] * 1000 + math.floor(now[2] / 1000), broker)
if not ids then
    redis.call("del", namespace .. ":__wake__." .. queue)
    return {}
end

local acks = namespace .. ":__acks__." .. broker .. "." .. queue
local payloads = redis.call("hmget", namespace .. ":" .. queue .. ".msgs", unpack(ids))
local rescued, begun = {}, {}
if redis.call("exists", namespace .. ":__rescued__") == 1 then
    rescued = redis.call("hmget", namespace .. ":__rescued__", unpack(ids))
    begun = redis.call("hmget", namespace .. ":__begun__", unpack(ids))
end
local parked = {}
if redis.call("exists", namespace .. ":__held__") == 1 then
    parked = redis.call("hmget", namespace .. ":__held__", unpack(ids))
end
local held, taken = {}, {}
for i, id in ipairs(ids) do
    if payloads[i] then
        held[#held + 1] = id
        taken[#taken + 1] = id
        taken[#taken + 1] = payloads[i]
        taken[#taken + 1] = rescued[i] or ""
        taken[#taken + 1] = begun[i] or ""
        taken[#taken + 1] = parked[i] or ""
    end
end
if #held > 0 then
    redis.call("sadd", acks, unpack(held))
end
return taken
