"""The Dramatiq broker, its hooks, locks and control signals. Never waits for PostgreSQL."""
