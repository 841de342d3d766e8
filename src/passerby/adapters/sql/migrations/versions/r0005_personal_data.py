"""When people asked for a copy of their data, and when their data will be erased.

Both may be null, so the release before this one can still write its rows.
"""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import create_index_beside, has_column

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    copy = sa.Column("copy_asked_at", sa.Double, comment="they wait for a copy of their data since then")
    erase = sa.Column("erase_at", sa.Double, comment="when their data will be erased")
    for column in (copy, erase):
        if not has_column("users", column.name):
            op.add_column("users", column)
    create_index_beside("ix_users_copy_asked_at", "users", ["copy_asked_at"], "copy_asked_at IS NOT NULL")
    create_index_beside("ix_complaints_user_id", "complaints", ["user_id", "filed_at"])
    create_index_beside("ix_users_erase_at", "users", ["erase_at"], "erase_at IS NOT NULL")
