"""Loads the Lua scripts of the folder `scripts/`."""

from pathlib import Path

from redis import Redis
from redis.commands.core import Script

FOLDER = Path(__file__).parent / "scripts"


def load_script(client: Redis, name: str) -> Script:
    """Register the script `scripts/<name>.lua` with a client. Nothing is sent until it is called."""
    return client.register_script((FOLDER / f"{name}.lua").read_bytes())
