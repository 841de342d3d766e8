"""Payment cases: what people ask staff about their payments."""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import create_index_beside

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_cases",
        sa.Column("code", sa.Text, nullable=False, comment="what the person and staff call it"),
        sa.Column("user_id", sa.BigInteger, nullable=False, comment="who asks"),
        sa.Column("words", sa.LargeBinary, comment="the question, encrypted with SECRET_KEY; null: answered"),
        sa.Column("opened_at", sa.Double, nullable=False),
        sa.Column("answered_at", sa.Double, comment="null: it is open"),
        sa.Column("answered_by", sa.Integer, comment="the number of a staff member; 0: the command line"),
        sa.PrimaryKeyConstraint("code", name="pk_payment_cases"),
        if_not_exists=True,
    )
    op.create_index("ix_payment_cases_user_id", "payment_cases", ["user_id"], if_not_exists=True)
    create_index_beside("ix_payment_cases_open", "payment_cases", ["opened_at"], "answered_at IS NULL")
