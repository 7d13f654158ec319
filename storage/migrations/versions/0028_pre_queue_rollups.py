"""What the rollups of a queue's jobs add up to, made from those that there are."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028_pre_queue_rollups"
down_revision = "0026_pre_held_back"
branch_labels = None
depends_on = None

CAUSES = {
    "pause": "a pause of the job, the queue or everything",
    "mutex": "a mutex that another run held",
    "limit": "a limit that was used up",
    "breaker": "an open circuit breaker",
    "overlap": "the overlap policy, which let one run wait for another",
}
SUMS = {
    "wait_sum_ms": "Waits are those of runs that succeeded or failed.",
    "lag_sum_ms": "From the slot to the message, of those whose wait counts.",
    "delay_sum_ms": "From the message to the end of its delay, of the same.",
    "hand_sum_ms": "Of wait_sum_ms, what passed in a worker's hand before the start.",
}
HELD = [f"held_{cause}_ms" for cause in CAUSES]

#: Those by the minute are looked at for an hour or two only, so that a day of them is enough.
FILL = f"""
INSERT INTO callboard.queue_rollups (
    width_s, bucket, queue, finished, failed, duration_hist, wait_hist, {", ".join([*SUMS, *HELD])}
)
SELECT width_s, bucket, queue, sum(succeeded + failed + dead), sum(failed + dead),
       callboard.hist_sum(duration_hist), callboard.hist_sum(wait_hist),
       {", ".join(f"sum({name})" for name in [*SUMS, *HELD])}
  FROM callboard.rollups
 WHERE width_s > 60 OR bucket >= now() - interval '24 hours'
 GROUP BY width_s, queue, bucket
HAVING sum(succeeded + failed + dead) > 0
"""


def upgrade() -> None:
    op.create_table(
        "queue_rollups",
        sa.Column("width_s", sa.Integer(), nullable=False, comment="60, 3600 or 86400."),
        sa.Column(
            "bucket",
            sa.TIMESTAMP(timezone=True),
            nullable=False,
            comment="The start of the minute, hour or day (UTC) of the finish.",
        ),
        sa.Column("queue", sa.Text(), nullable=False),
        _number("finished", sa.Integer(), "Runs that succeeded, failed or were dead."),
        _number("failed", sa.Integer(), "Of those, the ones that failed or were dead."),
        *(_histogram(name) for name in ("duration_hist", "wait_hist")),
        *(_number(name, sa.BigInteger(), comment) for name, comment in SUMS.items()),
        *(
            sa.Column(
                f"held_{cause}_ms",
                sa.BigInteger(),
                comment=f"Of wait_sum_ms, what runs were held back by {words}; NULL where none was.",
            )
            for cause, words in CAUSES.items()
        ),
        sa.PrimaryKeyConstraint("width_s", "queue", "bucket"),
        sa.CheckConstraint("width_s IN (60, 3600, 86400)", name="width_s"),
        schema="callboard",
        comment="One row per width, queue and bucket in which a run finished: what rollups of jobs add up to"
        ", so that a trend does not cost more the more jobs there are.",
    )
    if op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT FROM callboard.rollups)")):
        op.execute(FILL)


def _histogram(name: str) -> sa.Column[Sequence[int]]:
    return sa.Column(
        name,
        postgresql.ARRAY(sa.Integer()),
        server_default=sa.text("'{}'::integer[]"),
        nullable=False,
        comment="Counts by callboard.hist_bucket().",
    )


def _number(name: str, kind: sa.types.TypeEngine[int], comment: str) -> sa.Column[int]:
    return sa.Column(name, kind, server_default=sa.text("0"), nullable=False, comment=comment)
