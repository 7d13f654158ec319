"""Made-up rows for the schema `business`: the same seed on the same day gives the same rows."""

from callboard.core.demo.make import make
from callboard.core.demo.rows import Rows

__all__ = ["Rows", "make"]
