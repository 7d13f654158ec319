"""Measurements, each against the best peer in the same run. `python -m bench` runs them all."""
