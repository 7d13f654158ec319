-- Keeps a run's result for those who ask for it, unless its execution is stale: a worker that was taken for dead must
-- not replace what the run has ended with since.
--
-- KEYS[1]  the result
-- KEYS[2]  the worker's set of unacknowledged messages
-- ARGV[1]  message id
-- ARGV[2]  the encoded result
-- ARGV[3]  milliseconds for which it is kept
--
-- What the worker no longer holds is stale, or has been committed just now (a final failure): then it is kept only
-- where there is no other.

if redis.call("sismember", KEYS[2], ARGV[1]) == 0 and redis.call("exists", KEYS[1]) == 1 then
    return 0
end
redis.call("del", KEYS[1])
redis.call("lpush", KEYS[1], ARGV[2])
redis.call("pexpire", KEYS[1], ARGV[3])
return 1
