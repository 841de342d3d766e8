"""Past chats by time: PostgreSQL needs a summary of each megabyte only, because they are written in that order."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_NAME = "ix_past_chats_opened_min"
_IS_SUMMARY = sa.text(
    "SELECT amname = 'brin' AND indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
    " JOIN pg_am ON pg_am.oid = relam WHERE indexrelid = to_regclass(:name)"
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql" or op.get_bind().scalar(_IS_SUMMARY, {"name": _NAME}):
        return
    with op.get_context().autocommit_block():
        op.drop_index(_NAME, "past_chats", postgresql_concurrently=True, if_exists=True)
        op.create_index(
            _NAME,
            "past_chats",
            ["opened_min"],
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on"},
            postgresql_concurrently=True,
        )
