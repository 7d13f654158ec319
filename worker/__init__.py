"""The worker fleet: a master process that keeps its worker processes alive."""
