"""Pure values: cron, schedules, run states, backoff, settings, errors. Opens no connection."""
