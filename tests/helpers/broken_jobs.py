"""A module whose actor has a wrong option."""

import dramatiq


@dramatiq.actor(periodic="0 8 * * *")
def broken() -> None:
    """Never declared."""
