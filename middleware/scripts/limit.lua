-- Takes a slot of each of some limits, or of none.
--
-- KEYS[1]  namespace
-- ARGV[1]  token of the taker
-- ARGV[2]  lease in milliseconds
-- ARGV[3..] three values a limit: name, how many at a time (0: any number), how many a minute (0: any number)
--
-- Returns 0 where they are taken, otherwise the position (from 1) of the first that is used up; and the second in
-- which the taker is counted. A minute is counted in seconds, the one that it begins in included, so that no minute
-- whatever ever has more than that.

local namespace, token, lease = KEYS[1], ARGV[1], tonumber(ARGV[2])
-- A write that needs no memory: after it Redis, even when it has none left, refuses this script none.
redis.call("del", namespace .. ":__none__")
local now = redis.call("time")
local now_s = tonumber(now[1])
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)

for i = 3, #ARGV, 3 do
    local name, concurrent, per_minute = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    local used_up = false
    if concurrent > 0 then
        local slots = namespace .. ":__slots__." .. name
        redis.call("zremrangebyscore", slots, "-inf", now_ms)
        used_up = redis.call("zcard", slots) >= concurrent and not redis.call("zscore", slots, token)
    end
    if per_minute > 0 and not used_up then
        local key = namespace .. ":__rate__." .. name
        local counted, used = redis.call("hgetall", key), 0
        for j = 1, #counted, 2 do
            if tonumber(counted[j]) < now_s - 60 then
                redis.call("hdel", key, counted[j])
            else
                used = used + tonumber(counted[j + 1])
            end
        end
        used_up = used >= per_minute
    end
    if used_up then
        redis.call("hset", namespace .. ":__limits__", name, concurrent .. " " .. per_minute)
        return { (i - 3) / 3 + 1, now_s }
    end
end

for i = 3, #ARGV, 3 do
    local name, concurrent, per_minute = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    if concurrent > 0 then
        local slots = namespace .. ":__slots__." .. name
        redis.call("zadd", slots, now_ms + lease, token)
        redis.call("pexpire", slots, 2 * lease)
    end
    if per_minute > 0 then
        local key = namespace .. ":__rate__." .. name
        redis.call("hincrby", key, now_s, 1)
        redis.call("expire", key, 120)
    end
end
return { 0, now_s }
