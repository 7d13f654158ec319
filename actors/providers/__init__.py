"""The services outside that jobs call: a client for each, typed, with timeouts and retries."""
