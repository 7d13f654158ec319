"""Run as a program: start the servers of a home, say so, and write rows and keys until killed.

Prints one JSON object a line: first the process ids and URLs, then the number of each write once both
servers have confirmed it.
"""

import json
import sys
from pathlib import Path

import psycopg
import redis

from callboard.storage.embedded import EmbeddedServers


def main(home: Path) -> None:
    servers = EmbeddedServers(home)
    database_url, redis_url = servers.start()
    _say(
        {
            "pids": servers.pids,
            "urls": [database_url, redis_url],
        }
    )
    with (
        psycopg.connect(database_url, autocommit=True) as connection,
        redis.Redis.from_url(redis_url) as client,
    ):
        connection.execute("CREATE TABLE IF NOT EXISTS written (x int)")
        number = connection.execute("SELECT coalesce(max(x), 0) FROM written").fetchone()[0]  # type: ignore[index]
        while True:
            number += 1
            connection.execute("INSERT INTO written VALUES (%s)", [number])
            client.rpush("written", number)
            _say({"wrote": number})


def _say(fact: object) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
