-- Gives the messages that silent brokers held back to their queues, at the head: they are the oldest.
--
-- KEYS[1]  namespace
-- ARGV[1]  broker id of the caller, whose own sign of life is renewed
-- ARGV[2]  milliseconds of silence after which a broker counts as dead
-- ARGV[3]  what the caller says of itself, as JSON, or ""
-- ARGV[4..] the queues to look at
--
-- Returns a flat list: broker, queue, payload of each message given back. A broker is forgotten a day after its
-- last sign of life, but not while a queue that nobody names here holds anything of it: then it is looked at
-- again a day later, and rescued from meanwhile by whoever serves that queue. A caller that has been silent itself
-- for as long is given nothing: it was Redis that was away, and the others are about to return as well.

local namespace = KEYS[1]
local now = redis.call("time")
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local heartbeats = namespace .. ":__heartbeats__"
local last = redis.call("zscore", heartbeats, ARGV[1])
-- A write that needs no memory: after it Redis, even when it has none left, refuses this script none.
redis.call("del", namespace .. ":__none__")
redis.call("zadd", heartbeats, now_ms, ARGV[1])
if ARGV[3] ~= "" then
    redis.call("hset", namespace .. ":__workers__", ARGV[1], ARGV[3])
end
if last and now_ms - tonumber(last) > tonumber(ARGV[2]) then
    return {}
end

local rescued = {}
local silent = redis.call("zrangebyscore", heartbeats, 0, now_ms - tonumber(ARGV[2]))
for _, broker in ipairs(silent) do
    for i = 4, #ARGV do
        local queue = ARGV[i]
        local acks = namespace .. ":__acks__." .. broker .. "." .. queue
        local ids = redis.call("smembers", acks)
        local messages = namespace .. ":" .. queue .. ".msgs"
        for _, id in ipairs(ids) do
            local payload = redis.call("hget", messages, id)
            if payload then
                redis.call("lpush", namespace .. ":" .. queue, id)
                redis.call("hincrby", namespace .. ":__rescued__", id, 1)
                rescued[#rescued + 1] = broker
                rescued[#rescued + 1] = queue
                rescued[#rescued + 1] = payload
            end
        end
        if #ids > 0 then
            redis.call("del", acks)
            local wake = namespace .. ":__wake__." .. queue
            redis.call("lpush", wake, "1")
            redis.call("expire", wake, 60)
        end
    end
    if now_ms - tonumber(redis.call("zscore", heartbeats, broker)) > 86400000 then
        if #redis.call("keys", namespace .. ":__acks__." .. broker .. ".*") > 0 then
            redis.call("zadd", heartbeats, now_ms - tonumber(ARGV[2]), broker)
        else
            redis.call("zrem", heartbeats, broker)
        end
        redis.call("hdel", namespace .. ":__workers__", broker)
    end
end
return rescued
