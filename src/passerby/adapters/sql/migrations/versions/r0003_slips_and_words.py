"""When somebody said that their age had been a slip; what they say about a complaint, sealed.

Both may be null, so that the release before this one goes on writing its rows.
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
