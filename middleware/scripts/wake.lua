-- Looks at the lots that are due and puts messages that may go on back to the heads of their queues, the oldest
-- first.
--
-- KEYS[1]  namespace
-- ARGV[1]  the most messages of one lot to move
-- ARGV[2]  the longest time, in ms, until a lot is looked at again
--
-- Returns in how many ms the next lot is due; -1 where nothing is parked.
--
-- A lot's name tells what its messages wait for: "pause|job:<job>", "mutex|<name>", "limit|<name>" or
-- "breaker|<name>". Those that are woken ask again at their gate, and are parked again where others were faster.

local namespace = KEYS[1]
local most, longest = tonumber(ARGV[1]), tonumber(ARGV[2])
-- A write that needs no memory: after it Redis, even when it has none left, refuses this script none.
redis.call("del", namespace .. ":__none__")
local now = redis.call("time")
local now_s = tonumber(now[1])
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local lots = namespace .. ":__lots__"

-- Each returns how many may go, and in how many ms to look again.
local free = {}

function free.pause(name)
    if redis.call("hexists", namespace .. ":__control__", "paused:" .. name) == 1 then
        return 0, longest
    end
    return most, 0
end

function free.mutex(name)
    local left = redis.call("pttl", namespace .. ":__mutex__." .. name)
    if left ~= -2 then
        return 0, left == -1 and longest or left + 1
    end
    return 1, 1000
end

function free.limit(name)
    local limit = redis.call("hget", namespace .. ":__limits__", name) or "0 0"
    local concurrent, per_minute = string.match(limit, "(%d+) (%d+)")
    concurrent, per_minute = tonumber(concurrent), tonumber(per_minute)
    local may, again = most, longest
    if concurrent > 0 then
        local slots = namespace .. ":__slots__." .. name
        redis.call("zremrangebyscore", slots, "-inf", now_ms)
        may = math.min(may, concurrent - redis.call("zcard", slots))
        local first = redis.call("zrange", slots, 0, 0, "withscores")
        if first[2] then
            again = math.min(again, tonumber(first[2]) - now_ms)
        end
    end
    if per_minute > 0 then
        local counted = redis.call("hgetall", namespace .. ":__rate__." .. name)
        local used, oldest = 0, now_s
        for i = 1, #counted, 2 do
            local second = tonumber(counted[i])
            if second >= now_s - 60 then
                used = used + tonumber(counted[i + 1])
                oldest = math.min(oldest, second)
            end
        end
        may = math.min(may, per_minute - used)
        again = math.min(again, math.max((oldest + 61) * 1000 - now_ms, 100))
    end
    return math.max(may, 0), may > 0 and math.min(again, 1000) or again
end

function free.breaker(name)
    local key = namespace .. ":__breaker__." .. name
    local state, till, probe_until = unpack(redis.call("hmget", key, "state", "until", "probe_until"))
    if state == "open" then
        local left = tonumber(till or 0) - now_ms
        return left > 0 and 0 or 1, left > 0 and left or 1000
    elseif state == "half_open" then
        local left = tonumber(probe_until or 0) - now_ms
        return left > 0 and 0 or 1, left > 0 and left or 1000
    end
    return most, 0
end

local held = namespace .. ":__held__"
local any_held = redis.call("exists", held) == 1

-- Notes for how long a message has been parked, by cause: `{"mutex": <ms>}`, and until then `at` and `cause` (commit.lua).
local function count_held(id)
    local found = redis.call("hget", held, id)
    local spent = found and cjson.decode(found)
    if spent and spent.at then
        spent[spent.cause] = (spent[spent.cause] or 0) + math.max(now_ms - spent.at, 0)
        spent.at, spent.cause = nil, nil
        redis.call("hset", held, id, cjson.encode(spent))
    end
end

for _, lot in ipairs(redis.call("zrangebyscore", lots, "-inf", now_ms, "limit", 0, 20)) do
    local kind, name = string.match(lot, "^(%l+)|(.*)$")
    local list = namespace .. ":__lot__." .. lot
    local may, again = free[kind](name)
    if may > 0 then
        local entries = redis.call("lpop", list, may) or {}
        for i = #entries, 1, -1 do
            local queue, id = string.match(entries[i], "^(%S+) (.*)$")
            redis.call("lpush", namespace .. ":" .. queue, id)
            redis.call("hincrby", namespace .. ":__parked__", queue, -1)
            if any_held then
                count_held(id)
            end
            local wake = namespace .. ":__wake__." .. queue
            if redis.call("llen", wake) < 64 then
                redis.call("lpush", wake, "1")
            end
            redis.call("expire", wake, 60)
        end
    end
    if redis.call("exists", list) == 0 then
        redis.call("zrem", lots, lot)
        if kind == "limit" then
            redis.call("hdel", namespace .. ":__limits__", name)
        end
    else
        redis.call("zadd", lots, now_ms + math.min(again, longest), lot)
    end
end

local first = redis.call("zrange", lots, 0, 0, "withscores")
return first[2] and math.max(math.ceil(tonumber(first[2]) - now_ms), 0) or -1
