"""Cases about farms: what was measured, and about which accounts."""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import has_column

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if not has_column("cases", "measured"):
        op.add_column("cases", sa.Column("measured", sa.Text, comment="JSON: what was measured about a farm"))
    if op.get_bind().dialect.name == "postgresql":  # SQLite has no comments
        op.alter_column("cases", "about", existing_type=sa.Text, comment="reports, appeal or farm")
    op.create_table(
        "farm_accounts",
        sa.Column("case_number", sa.BigInteger, nullable=False),
        sa.Column("place", sa.Integer, nullable=False, comment="numbers them within the case, from 1"),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("is_recruit", sa.Boolean, nullable=False, comment="only uses the places of the farm"),
        sa.PrimaryKeyConstraint("case_number", "place", name="pk_farm_accounts"),
        if_not_exists=True,
    )
    op.create_index("ix_farm_accounts_user_id", "farm_accounts", ["user_id"], if_not_exists=True)
