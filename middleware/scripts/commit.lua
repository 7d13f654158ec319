-- Commits a group of finished messages: their events, what becomes of each, the messages that follow from them
-- and whatever they held, all in one step.
--
-- KEYS[1]  namespace
-- ARGV[1]  broker id
-- ARGV[2]  number of finished messages, then six values each: queue, Redis message id, what becomes of it ("ack",
--          "dead", "back": to the head of its queue, "park": into a lot), the lot (or ""), its event as JSON (or
--          ""), how many messages follow from it
--          number of events that belong to no finished message, then each as JSON
--          then the messages that follow, in the order of their causes: queue, Redis message id, payload
--          then what is released, five values each: the position (from 1) of the message that held it, kind
--          ("mutex", "limit" or "breaker"), name, token, and for a breaker its outcome as JSON: {ok, cause, job,
--          run, threshold, window, timeout}, for a limit the second in which it counted a run that did not begin
--          after all (or ""); or, for a part of a "group", its id, the part's, and the number of messages,
--          followed by those messages, three values each, which go out with the last part; or, for a message that is
--          parked, "held", its Redis message id and the cause that the time is put down to (see wake.lua)
--
-- Only a message that this broker still holds counts: when it was taken for dead and its messages were given
-- to others, its late results are refused. Repeating a commit whose reply was lost therefore does nothing.
-- The events are written before anything is acknowledged. A Redis out of memory refuses none of it: what is
-- finished frees about as much as its event takes, and frees it in no other way.
--
-- Returns 1 where a lot is to be looked at (wake.lua) or else 0, then the positions (from 1) of the messages that
-- were refused.

local namespace, broker = KEYS[1], ARGV[1]
local now = redis.call("time")
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local count = tonumber(ARGV[2])
local lots = namespace .. ":__lots__"
local at = 3

local by_queue = {}
local items = {}
for i = 1, count do
    local item = {
        queue = ARGV[at], id = ARGV[at + 1], fate = ARGV[at + 2], lot = ARGV[at + 3], event = ARGV[at + 4],
        follow = tonumber(ARGV[at + 5]),
    }
    at = at + 6
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

local answer = { 0 }
local events = {}
for i, item in ipairs(items) do
    if not item.held then
        answer[#answer + 1] = i
    elseif item.event ~= "" then
        events[#events + 1] = item.event
    end
end
local loose = tonumber(ARGV[at])
for i = at + 1, at + loose do
    events[#events + 1] = ARGV[i]
end
at = at + loose + 1
local function write(list)
    redis.call("xadd", namespace .. ":__events__", "*", "e", "[" .. table.concat(list, ",") .. "]")
end
if #events > 0 then
    write(events)
end

local woken = {}
-- Puts the messages that begin at `at` onto their queues, if they are to be, and passes them by.
local function put(count, really)
    for _ = 1, count do
        if really then
            local queue = ARGV[at]
            redis.call("hset", namespace .. ":" .. queue .. ".msgs", ARGV[at + 1], ARGV[at + 2])
            redis.call("rpush", namespace .. ":" .. queue, ARGV[at + 1])
            woken[queue] = true
        end
        at = at + 3
    end
end
for _, item in ipairs(items) do
    put(item.follow, item.held)
end

local function look_at(lot)
    redis.call("zadd", lots, 0, lot)
    answer[1] = 1
end

local function bury(queue, id, messages)
    local canonical = queue
    if string.sub(queue, -3) == ".DQ" then
        canonical = string.sub(queue, 1, -4)
    end
    local dead = namespace .. ":" .. canonical .. ".XQ"
    local payload = redis.call("hget", messages, id)
    if payload then
        redis.call("hset", dead .. ".msgs", id, payload)
        redis.call("zadd", dead, now_ms, id)
    end
end

local rescued = redis.call("exists", namespace .. ":__rescued__") == 1
local parked = namespace .. ":__held__"
local any_parked = redis.call("exists", parked) == 1
for queue, group in pairs(by_queue) do
    local messages = namespace .. ":" .. queue .. ".msgs"
    local left, gone = {}, {}
    -- The last first: those that go back to the head of their queue keep their order.
    for i = #group.items, 1, -1 do
        local item = group.items[i]
        if item.held then
            left[#left + 1] = item.id
            if item.fate == "back" then
                redis.call("lpush", namespace .. ":" .. queue, item.id)
            elseif item.fate ~= "park" then
                gone[#gone + 1] = item.id
                if item.fate == "dead" then
                    bury(queue, item.id, messages)
                end
            end
        end
    end
    for _, item in ipairs(group.items) do
        if item.held and item.fate == "park" then
            redis.call("rpush", namespace .. ":__lot__." .. item.lot, queue .. " " .. item.id)
            redis.call("hincrby", namespace .. ":__parked__", queue, 1)
            look_at(item.lot)
        end
    end
    if #left > 0 then
        redis.call("srem", group.acks, unpack(left))
    end
    if #gone > 0 then
        if rescued then
            redis.call("hdel", namespace .. ":__rescued__", unpack(gone))
            redis.call("hdel", namespace .. ":__begun__", unpack(gone))
        end
        if any_parked then
            redis.call("hdel", parked, unpack(gone))
        end
        redis.call("hdel", messages, unpack(gone))
    end
end

local function count_outcome(name, token, outcome)
    local key = namespace .. ":__breaker__." .. name
    local field = function(which) return redis.call("hget", key, which) end
    local state = field("state") or "closed"
    local change = function(to)
        write({ cjson.encode({
            k = "breaker", name = name, from = state, to = to, at = now_ms, cause = outcome.cause, job = outcome.job,
            run = outcome.run,
        }) })
        if redis.call("zscore", lots, "breaker|" .. name) then
            look_at("breaker|" .. name)
        end
    end
    local open = function()
        redis.call("hset", key, "state", "open", "opened_at", now_ms, "until", now_ms + outcome.timeout, "cause",
            outcome.cause or "", "failures", 0)
        redis.call("hdel", key, "probe", "probe_until")
        change("open")
    end
    if state == "closed" and outcome.ok == true then
        redis.call("hdel", key, "failures", "failed_at")
    elseif state == "closed" and outcome.ok == false then
        local failed_at = tonumber(field("failed_at") or 0)
        local failures = now_ms - failed_at > outcome.window and 1 or tonumber(field("failures") or 0) + 1
        redis.call("hset", key, "failures", failures, "failed_at", now_ms)
        redis.call("sadd", namespace .. ":__breakers__", name)
        if failures >= outcome.threshold then
            open()
        end
    elseif state == "half_open" and field("probe") == token then
        if outcome.ok == true then
            redis.call("hset", key, "state", "closed", "failures", 0)
            redis.call("hdel", key, "probe", "probe_until", "until", "cause", "opened_at")
            change("closed")
        elseif outcome.ok == false then
            open()
        else
            redis.call("hdel", key, "probe", "probe_until")
            look_at("breaker|" .. name)
        end
    end
end

-- Whether a part is the last of its group. Counting parts by their ids, it makes no difference if one comes twice.
local function completes(group, part)
    local total = tonumber(redis.call("get", namespace .. ":__group_total__." .. group) or 0)
    local done = namespace .. ":__group__." .. group
    redis.call("sadd", done, part)
    if redis.call("scard", done) ~= total then
        redis.call("pexpire", done, math.max(redis.call("pttl", namespace .. ":__group_total__." .. group), 60000))
        return false
    end
    redis.call("del", done, namespace .. ":__group_total__." .. group)
    return true
end

while at < #ARGV do
    local held = items[tonumber(ARGV[at])].held
    local kind, name, token, extra = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
    at = at + 5
    local released = 0
    if kind == "mutex" then
        local key = namespace .. ":__mutex__." .. name
        if redis.call("get", key) == token then
            released = redis.call("del", key)
        end
    elseif kind == "limit" then
        released = redis.call("zrem", namespace .. ":__slots__." .. name, token)
        local rate = namespace .. ":__rate__." .. name
        if held and extra ~= "" and redis.call("hexists", rate, extra) == 1 then
            redis.call("hincrby", rate, extra, -1)
            released = 1
        end
    elseif kind == "breaker" then
        local outcome = cjson.decode(extra)
        if not held then
            outcome.ok = cjson.null
        end
        count_outcome(name, token, outcome)
    elseif kind == "held" then
        if held then
            local found = redis.call("hget", parked, name)
            local spent = found and cjson.decode(found) or {}
            spent.at, spent.cause = now_ms, token
            redis.call("hset", parked, name, cjson.encode(spent))
        end
    else
        put(tonumber(extra), held and completes(name, token))
    end
    local lot = kind .. "|" .. name
    if released == 1 and redis.call("zscore", lots, lot) then
        look_at(lot)
    end
end

for queue in pairs(woken) do
    local wake = namespace .. ":__wake__." .. queue
    if redis.call("llen", wake) < 64 then
        redis.call("lpush", wake, "1")
    end
    redis.call("expire", wake, 60)
end

return answer
