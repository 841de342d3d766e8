"""Acts that wait for a second member of the team."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("number", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("person_id", sa.BigInteger, comment="whom it is about, if it is about a person"),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("decided_at", sa.Double),
        sa.Column(
            "body",
            sa.Text,
            nullable=False,
            comment="JSON: what is asked for, and by whom; empty: forgotten",
        ),
        sa.PrimaryKeyConstraint("number", name="pk_approvals"),
        if_not_exists=True,
    )
    for name, columns, where in (
        ("ix_approvals_open", ["number"], "decided_at IS NULL"),
        ("ix_approvals_person_id", ["person_id"], "person_id IS NOT NULL"),
    ):
        condition = sa.text(where)
        op.create_index(
            name, "approvals", columns, sqlite_where=condition, postgresql_where=condition, if_not_exists=True
        )
