"""Users who sign in with an OpenID Connect provider."""

import sqlalchemy as sa
from alembic import op

revision = "0025_pre_oidc"
down_revision = "0023_pre_alerting"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column(
        "users",
        "password_hash",
        existing_type=sa.Text(),
        nullable=True,
        comment="NULL for whoever signs in with a provider.",
        schema="callboard",
    )
    op.add_column(
        "users",
        sa.Column("issuer", sa.Text(), comment="The OpenID Connect provider that vouches for them, and"),
        schema="callboard",
    )
    op.add_column(
        "users", sa.Column("subject", sa.Text(), comment="what it knows them by."), schema="callboard"
    )
    op.create_check_constraint(
        op.f("users_provider_check"), "users", "(issuer IS NULL) = (subject IS NULL)", schema="callboard"
    )
    op.create_unique_constraint(
        op.f("users_issuer_subject_key"), "users", ["issuer", "subject"], schema="callboard"
    )
