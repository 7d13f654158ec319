"""The emitter: claims due slots in PostgreSQL and relays them to Redis."""
