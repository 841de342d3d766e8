"""When somebody corrected an age below the limit; the encrypted comment about a complaint.

Both may be null, so the release before this one can still write its rows.
"""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import has_column

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    slip = sa.Column("age_mended_at", sa.Double, comment="when they corrected such an age")
    words = sa.Column("words", sa.LargeBinary, comment="their comment, encrypted with SECRET_KEY; null: none")
    for table, column in (("users", slip), ("complaints", words)):
        if not has_column(table, column.name):
            op.add_column(table, column)
