"""What faces do. Each action takes a context and a principal, checks the role, and leaves an audit row."""
