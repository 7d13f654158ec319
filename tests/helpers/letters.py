"""Dead letters as a worker and a recorder leave them: rows in the history, messages in Redis."""

from typing import Any
from uuid import UUID, uuid4

import orjson
from redis import Redis
from sqlalchemy import Engine, text

from callboard.core.keys import Keys

ADD = text("""
INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, attempt, started_at, finished_at
     , error_type, error, fingerprint, dead_letter, args, kwargs)
SELECT i.id, now() - :age * interval '1 day' - n * interval '1 millisecond', :job, 'default', 'failed', 19, 1
     , now() - :age * interval '1 day', now() - :age * interval '1 day', :type, :error, :mark, i.letter
     , '[]', '{}'
  FROM unnest(cast(:ids AS uuid[]), cast(:letters AS text[])) WITH ORDINALITY AS i (id, letter, n)
""")


def add_letters(
    engine: Engine,
    client: Redis,
    keys: Keys,
    count: int,
    *,
    job: str = "greet",
    error: str = "no luck",
    error_type: str = "ValueError",
    mark: str = "f00d",
    age: float = 0,
    options: dict[str, Any] | None = None,
) -> list[UUID]:
    """Add so many dead letters of a job; returns their runs, the latest sent first. `age` is in days."""
    ids, letters = [[uuid4() for _ in range(count)] for _ in range(2)]
    texts = [str(letter) for letter in letters]
    with engine.begin() as connection:
        values = {
            "ids": ids,
            "letters": texts,
            "job": job,
            "error": error,
            "type": error_type,
            "mark": mark,
            "age": age,
        }
        connection.execute(ADD, values)
    died = (client.time()[0] - int(age * 86_400)) * 1000
    payloads = {
        letter: orjson.dumps(
            {
                "queue_name": "default", "actor_name": job, "args": [number], "kwargs": {"to": "you"},
                "options": {"redis_message_id": letter, "retries": 3, "traceback": "...", **(options or {})},
                "message_id": str(run_id), "message_timestamp": 1,
            }
        )
        for number, (run_id, letter) in enumerate(zip(ids, texts, strict=True))
    }  # fmt: skip
    client.hset(keys.dead_messages("default"), mapping=payloads)
    client.zadd(keys.dead("default"), dict.fromkeys(texts, died))
    return ids


def left(engine: Engine) -> int:
    """How many dead letters the history has."""
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM callboard.runs WHERE dead_letter IS NOT NULL")
        return int(connection.execute(query).scalar_one())


def left_in_redis(client: Redis, keys: Keys, queue: str = "default") -> tuple[int, int]:
    """How many ids and how many messages of dead letters Redis has."""
    return client.zcard(keys.dead(queue)), client.hlen(keys.dead_messages(queue))
