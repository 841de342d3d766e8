"""Staff, their invites, what the staff bot answered, and the audit.

The release before this one does not know these tables. Triggers refuse to change or delete rows of the audit.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("number", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("alerts", sa.Boolean, nullable=False, server_default=sa.false(), comment="they want to get alerts"),
        sa.Column("joined_at", sa.Double, nullable=False),
        sa.Column("revoked_at", sa.Double),
        sa.PrimaryKeyConstraint("number", name="pk_staff"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_staff_user_id",
        "staff",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
        if_not_exists=True,
    )
    op.create_table(
        "staff_invites",
        sa.Column("digest", sa.Text, nullable=False, comment="SHA-256 of the secret in the link"),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column(
            "made_by", sa.BigInteger, nullable=False, comment="the number of a staff member; 0: the command line"
        ),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("used_by", sa.BigInteger),
        sa.Column("used_at", sa.Double),
        sa.PrimaryKeyConstraint("digest", name="pk_staff_invites"),
        if_not_exists=True,
    )
    op.create_table(
        "staff_answers",
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        sa.Column("update_id", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.Text, nullable=False, comment="JSON: what was answered to this update of the staff bot"),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("bot_id", "update_id", name="pk_staff_answers"),
        if_not_exists=True,
    )
    op.create_table(
        "audit",
        sa.Column("number", _ROW_ID, nullable=False, autoincrement=False, comment="without gaps"),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("actor", sa.BigInteger, comment="the number of a staff member; 0: the command line; null: a rule"),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False, comment="JSON"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False, comment="covers this row and the hash of the row before it"),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
        if_not_exists=True,
    )
    for statement in _POSTGRES if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)


_POSTGRES = (
    """
    CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'rows of the audit are never changed or deleted'; END $$
    """,
    "DROP TRIGGER IF EXISTS audit_append_only ON audit",
    """
    CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()
    """,
)
_SQLITE = tuple(
    f"""
    CREATE TRIGGER IF NOT EXISTS audit_append_only_{change} BEFORE {change} ON audit
    BEGIN SELECT RAISE(ABORT, 'rows of the audit are never changed or deleted'); END
    """
    for change in ("update", "delete")
)
