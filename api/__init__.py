"""The HTTP face (FastAPI)."""
