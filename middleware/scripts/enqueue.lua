-- Puts messages onto their queues and wakes whoever waits for them.
--
-- KEYS[1]  namespace
-- ARGV[1]  seconds for which a once-only mark is kept
-- ARGV[2]  the most wake tokens that a queue keeps
-- ARGV[3..] five values a message: queue, Redis message id, payload, once-only mark (or ""), what the mark is to hold
--
-- Returns how many messages were put. One whose mark exists is left out. The messages of one queue go in with two
-- commands, since commands are what a script spends its time on. The first of them is the only one that a Redis
-- out of memory refuses, so that it never keeps a mark without its message. There must be few enough messages for
-- their ids and payloads to fit the stack: some thousands.

local namespace = KEYS[1]

local marks = {}
for i = 6, #ARGV, 5 do
    if ARGV[i] ~= "" then
        marks[#marks + 1] = ARGV[i]
    end
end
local sent = {}
if #marks > 0 then
    local values = redis.call("mget", unpack(marks))
    for i, mark in ipairs(marks) do
        sent[mark] = values[i] ~= false
    end
end

local queues, payloads, ids, fresh, held = {}, {}, {}, {}, {}
local total = 0
for i = 3, #ARGV, 5 do
    local queue, id, payload, mark = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    if mark == "" or not sent[mark] then
        if not ids[queue] then
            queues[#queues + 1] = queue
            payloads[queue], ids[queue] = {}, {}
        end
        local pairs_of_queue, ids_of_queue = payloads[queue], ids[queue]
        pairs_of_queue[#pairs_of_queue + 1] = id
        pairs_of_queue[#pairs_of_queue + 1] = payload
        ids_of_queue[#ids_of_queue + 1] = id
        if mark ~= "" then
            sent[mark] = true
            fresh[#fresh + 1] = mark
            held[mark] = ARGV[i + 4]
        end
        total = total + 1
    end
end

for _, queue in ipairs(queues) do
    -- Where all of them are there already, the client repeats itself: the first reply was lost.
    if redis.call("hset", namespace .. ":" .. queue .. ".msgs", unpack(payloads[queue])) > 0 then
        redis.call("rpush", namespace .. ":" .. queue, unpack(ids[queue]))
    end
end
for _, mark in ipairs(fresh) do
    redis.call("set", mark, held[mark], "ex", ARGV[1])
end

local most = tonumber(ARGV[2])
for _, queue in ipairs(queues) do
    local wake = namespace .. ":__wake__." .. queue
    local missing = math.min(#ids[queue], most - redis.call("llen", wake))
    for _ = 1, missing do
        redis.call("lpush", wake, "1")
    end
    redis.call("expire", wake, 60)
end

return total
