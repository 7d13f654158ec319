"""Moves what workers record from the stream in Redis into PostgreSQL."""

from callboard.storage.recorder.process import run

__all__ = ["run"]
