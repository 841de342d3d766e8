"""Notes in the database about its installation: the mark of its key, and whether a process runs."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "installation",
        sa.Column("name", sa.Text, nullable=False, comment="key or running"),
        sa.Column("value", sa.Text, nullable=False, comment="key: a mark of SECRET_KEY, which does not reveal it"),
        sa.PrimaryKeyConstraint("name", name="pk_installation"),
        if_not_exists=True,
    )
