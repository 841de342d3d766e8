"""Settings and texts that staff change while the fleet runs."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "overrides",
        sa.Column("number", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("what", sa.Text, nullable=False, comment="setting or text"),
        sa.Column("name", sa.Text, nullable=False, comment="of the setting, or the text's key"),
        sa.Column("bot_id", sa.BigInteger, nullable=False, comment="0: every bot"),
        sa.Column("language", sa.Text, nullable=False, comment="of the text; empty for a setting"),
        sa.Column(
            "value", sa.Text, comment="a setting as it may be written, or a JSON list of wordings; null: default"
        ),
        sa.Column("by", sa.BigInteger, nullable=False, comment="the number of a staff member; 0: the command line"),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_overrides"),
        if_not_exists=True,
    )
    op.create_index("ix_overrides_name", "overrides", ["name", "number"], if_not_exists=True)
