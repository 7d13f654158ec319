"""What runs were held back by on purpose, and for how long: by run, and added up in the rollups."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026_pre_held_back"
down_revision = "0025_pre_oidc"
branch_labels = None
depends_on = None

CAUSES = {
    "pause": "a pause of the job, the queue or everything",
    "mutex": "a mutex that another run held",
    "limit": "a limit that was used up",
    "breaker": "an open circuit breaker",
    "overlap": "the overlap policy, which let one run wait for another",
}


def upgrade() -> None:
    comment = "Ms for which it was held back before its first start, by cause."
    op.add_column("runs", sa.Column("held", postgresql.JSONB(), comment=comment), schema="callboard")
    for cause, words in CAUSES.items():
        comment = f"Of wait_sum_ms, what runs were held back by {words}; NULL where none was."
        column = sa.Column(f"held_{cause}_ms", sa.BigInteger(), comment=comment)
        op.add_column("rollups", column, schema="callboard")
