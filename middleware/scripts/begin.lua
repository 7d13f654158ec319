-- Notes that a rescued message is begun again.
--
-- KEYS[1]  namespace
-- ARGV[1]  Redis message id
--
-- Returns how often it has been since it was rescued for the first time.

-- A write that needs no memory: after it Redis, even when it has none left, refuses this script none.
redis.call("del", KEYS[1] .. ":__none__")
return redis.call("hincrby", KEYS[1] .. ":__begun__", ARGV[1], 1)
