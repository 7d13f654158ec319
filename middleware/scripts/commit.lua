-- Commits a group of finished messages: their events, their acknowledgements, the messages that follow from
-- them and the locks that they held, all in one step.
--
-- KEYS[1]  namespace
-- ARGV[1]  broker id
-- ARGV[2]  number of finished messages, then five values each: queue, Redis message id, what becomes of it
--          ("ack" or "dead"), its event as JSON (or ""), how many messages follow from it
--          number of events that belong to no finished message, then each as JSON
--          then the messages that follow, in the order of their causes: queue, Redis message id, payload
--          then the locks to release: key, token
--
-- Only a message that this broker still holds counts: when it was taken for dead and its messages were given
-- to others, its late results are refused. Repeating a commit whose reply was lost therefore does nothing.
-- The events are written before anything is acknowledged. A Redis out of memory refuses none of it: what is
-- finished frees about as much as its event takes, and frees it in no other way.
--
-- Returns the positions (from 1) of the messages that were refused.

local namespace, broker = KEYS[1], ARGV[1]
local now = redis.call("time")
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local count = tonumber(ARGV[2])
local at = 3

local by_queue = {}
local items = {}
for i = 1, count do
    local item = {
        queue = ARGV[at], id = ARGV[at + 1], fate = ARGV[at + 2], event = ARGV[at + 3],
        follow = tonumber(ARGV[at + 4]),
    }
    at = at + 5
    items[i] = item
    local group = by_queue[item.queue]
    if not group then
        group = { ids = {}, items = {} }
        by_queue[item.queue] = group
    end
    group.ids[#group.ids + 1] = item.id
    group.items[#group.items + 1] = item
end

-- A write that needs no memory: after it Redis, even when it has none left, refuses this script none.
redis.call("del", namespace .. ":__none__")

for queue, group in pairs(by_queue) do
    group.acks = namespace .. ":__acks__." .. broker .. "." .. queue
    local held = redis.call("smismember", group.acks, unpack(group.ids))
    for i, item in ipairs(group.items) do
        item.held = held[i] == 1
    end
end

local events, refused = {}, {}
for i, item in ipairs(items) do
    if not item.held then
        refused[#refused + 1] = i
    elseif item.event ~= "" then
        events[#events + 1] = item.event
    end
end
local loose = tonumber(ARGV[at])
for i = at + 1, at + loose do
    events[#events + 1] = ARGV[i]
end
at = at + loose + 1
if #events > 0 then
    redis.call("xadd", namespace .. ":__events__", "*", "e", "[" .. table.concat(events, ",") .. "]")
end

local woken = {}
for _, item in ipairs(items) do
    for _ = 1, item.follow do
        if item.held then
            local queue = ARGV[at]
            redis.call("hset", namespace .. ":" .. queue .. ".msgs", ARGV[at + 1], ARGV[at + 2])
            redis.call("rpush", namespace .. ":" .. queue, ARGV[at + 1])
            woken[queue] = true
        end
        at = at + 3
    end
end
for queue in pairs(woken) do
    local wake = namespace .. ":__wake__." .. queue
    if redis.call("llen", wake) < 64 then
        redis.call("lpush", wake, "1")
    end
    redis.call("expire", wake, 60)
end

local rescued = redis.call("exists", namespace .. ":__rescued__") == 1
for queue, group in pairs(by_queue) do
    local messages = namespace .. ":" .. queue .. ".msgs"
    local gone = {}
    for _, item in ipairs(group.items) do
        if item.held then
            gone[#gone + 1] = item.id
            if item.fate == "dead" then
                local canonical = queue
                if string.sub(queue, -3) == ".DQ" then
                    canonical = string.sub(queue, 1, -4)
                end
                local dead = namespace .. ":" .. canonical .. ".XQ"
                local payload = redis.call("hget", messages, item.id)
                if payload then
                    redis.call("hset", dead .. ".msgs", item.id, payload)
                    redis.call("zadd", dead, now_ms, item.id)
                end
            end
        end
    end
    if #gone > 0 then
        redis.call("srem", group.acks, unpack(gone))
        if rescued then
            redis.call("hdel", namespace .. ":__rescued__", unpack(gone))
        end
        redis.call("hdel", messages, unpack(gone))
    end
end

while at < #ARGV do
    if redis.call("get", ARGV[at]) == ARGV[at + 1] then
        redis.call("del", ARGV[at])
    end
    at = at + 2
end

return refused
