"""Signs of life that the parts leave in the database."""

from sqlalchemy import Connection, text

_RECORDER = text("""
SELECT extract(epoch FROM now() - updated_at)::float8
  FROM callboard.stream_position
 WHERE stream = :stream
""")


def recorder_silence(connection: Connection, stream: str) -> float | None:
    """Seconds since the recorder of that stream last wrote its position; None where it never has.

    A recorder with nothing to record writes it every few seconds.
    """
    silence: float | None = connection.execute(_RECORDER, {"stream": stream}).scalar_one_or_none()
    return silence
