-- Puts messages onto their queues and wakes whoever waits for them.
--
-- KEYS[1]  namespace
-- ARGV[1]  seconds for which a once-only mark is kept
-- ARGV[2]  the most wake tokens that a queue keeps
-- ARGV[3..] four values a message: queue, Redis message id, payload, once-only mark (or "")
--
-- Returns how many messages were put. One whose mark exists is left out. The mark is set last: a Redis that
-- runs out of memory in between refuses the message, and never keeps a mark without its message.

local namespace = KEYS[1]
local put = {}
local total = 0

for i = 3, #ARGV, 4 do
    local queue, id, payload, mark = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    if mark == "" or redis.call("exists", mark) == 0 then
        redis.call("hset", namespace .. ":" .. queue .. ".msgs", id, payload)
        redis.call("rpush", namespace .. ":" .. queue, id)
        if mark ~= "" then
            redis.call("set", mark, "1", "ex", ARGV[1])
        end
        put[queue] = (put[queue] or 0) + 1
        total = total + 1
    end
end

local most = tonumber(ARGV[2])
for queue, count in pairs(put) do
    local wake = namespace .. ":__wake__." .. queue
    local missing = math.min(count, most - redis.call("llen", wake))
    for _ = 1, missing do
        redis.call("lpush", wake, "1")
    end
    redis.call("expire", wake, 60)
end

return total
