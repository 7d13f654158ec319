"""What faces show. Each read takes a context, asks the database once, and returns frozen dataclasses."""
