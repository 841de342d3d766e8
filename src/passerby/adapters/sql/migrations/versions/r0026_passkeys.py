"""Passkeys: a second factor for the panel."""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import has_column

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "panel_passkeys",
        sa.Column("name", sa.Text, nullable=False, comment="the id of the passkey, in base64url"),
        sa.Column("member", sa.BigInteger, nullable=False, comment="the number of a staff member"),
        sa.Column("key", sa.Text, nullable=False, comment="the public key (COSE), in base64url"),
        sa.Column(
            "count", sa.BigInteger, nullable=False, comment="how often it was used, as it says itself; 0: no count"
        ),
        sa.Column("label", sa.Text, nullable=False, comment="where it was made, in our words"),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("used_at", sa.Double),
        sa.PrimaryKeyConstraint("name", name="pk_panel_passkeys"),
        if_not_exists=True,
    )
    op.create_index("ix_panel_passkeys_member", "panel_passkeys", ["member"], if_not_exists=True)
    if not has_column("panel_sessions", "passkey_at"):
        op.add_column(
            "panel_sessions", sa.Column("passkey_at", sa.Double, comment="when a passkey was last shown; null: not yet")
        )
