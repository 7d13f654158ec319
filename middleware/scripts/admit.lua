-- Asks a breaker whether a run may go.
--
-- KEYS[1]  namespace
-- ARGV[1]  name of the breaker
-- ARGV[2]  token of the asker
-- ARGV[3]  lease of a probe in milliseconds
--
-- Returns what it says, when it opened (ms since the epoch, or 0) and why: 1, the run may go; 2, it may, as the one
-- probe of a breaker that is half open; 0, it may not.

local namespace, name, token = KEYS[1], ARGV[1], ARGV[2]
local key = namespace .. ":__breaker__." .. name
local state, till, probe, probe_until, cause, opened_at =
    unpack(redis.call("hmget", key, "state", "until", "probe", "probe_until", "cause", "opened_at"))
if not state or state == "closed" then
    return { 1, 0, "" }
end
-- A write that needs no memory: after it Redis, even when it has none left, refuses this script none.
redis.call("del", namespace .. ":__none__")
local now = redis.call("time")
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
if state == "open" and tonumber(till or 0) <= now_ms then
    redis.call("hset", key, "state", "half_open")
    redis.call("xadd", namespace .. ":__events__", "*", "e", cjson.encode({ {
        k = "breaker", name = name, from = "open", to = "half_open", at = now_ms, cause = "its recovery time is over",
    } }))
    state, probe = "half_open", false
end
if state == "half_open" and (not probe or probe == token or tonumber(probe_until or 0) <= now_ms) then
    redis.call("hset", key, "probe", token, "probe_until", now_ms + tonumber(ARGV[3]))
    return { 2, tonumber(opened_at or 0), cause or "" }
end
return { 0, tonumber(opened_at or 0), cause or "" }
