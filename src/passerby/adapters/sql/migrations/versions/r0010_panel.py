"""The operators' panel: logins, sessions, limits, figures counted in advance, and faults by fingerprint."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "panel_logins",
        sa.Column("name", sa.Text, nullable=False, comment="the code that the panel shows, or a link's digest"),
        sa.Column("browser", sa.Text, nullable=False, comment="SHA-256 of the asking browser's secret; empty: any"),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("link", sa.Text, nullable=False, comment="SHA-256 of the secret in the link; empty: none was sent"),
        sa.Column("member", sa.BigInteger, comment="the number of a staff member; 0: the command line"),
        sa.Column("confirmed_at", sa.Double),
        sa.Column("used_at", sa.Double),
        sa.PrimaryKeyConstraint("name", name="pk_panel_logins"),
        if_not_exists=True,
    )
    op.create_table(
        "panel_sessions",
        sa.Column("number", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("digest", sa.Text, nullable=False, comment="SHA-256 of the secret in the cookie"),
        sa.Column("former", sa.Text, nullable=False, comment="the digest before it, for a minute"),
        sa.Column("rotated_at", sa.Double, nullable=False),
        sa.Column("member", sa.BigInteger, nullable=False, comment="the number of a staff member; 0: the command line"),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("proved_at", sa.Double, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.Column("ends_at", sa.Double, nullable=False),
        sa.Column("agent", sa.Text, nullable=False, comment="the kind of browser, in our words"),
        sa.Column("ended_at", sa.Double),
        sa.PrimaryKeyConstraint("number", name="pk_panel_sessions"),
        if_not_exists=True,
    )
    op.create_table(
        "panel_limits",
        sa.Column("name", sa.Text, nullable=False, comment="what is limited"),
        sa.Column("began_at", sa.Double, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_panel_limits"),
        if_not_exists=True,
    )
    op.create_table(
        "panel_figures",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False, comment="the day or the minute"),
        sa.Column("body", sa.Text, nullable=False, comment="JSON"),
        sa.Column("at", sa.Double, nullable=False, comment="when it was counted"),
        sa.PrimaryKeyConstraint("kind", "number", name="pk_panel_figures"),
        if_not_exists=True,
    )
    op.create_table(
        "faults",
        sa.Column("fingerprint", sa.Text, nullable=False, comment="of the event, the exception's type and our frames"),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False, comment="the exception's type"),
        sa.Column("frames", sa.Text, nullable=False, comment="JSON list: our own frames"),
        sa.Column("first_at", sa.Double, nullable=False),
        sa.Column("last_at", sa.Double, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Text, nullable=False, comment="of the release that had it last"),
        sa.Column("resolved_at", sa.Double, comment="null: not resolved, or it came back"),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_faults"),
        if_not_exists=True,
    )
    op.create_index("ix_panel_sessions_digest", "panel_sessions", ["digest"], if_not_exists=True)
    op.create_index("ix_panel_logins_link", "panel_logins", ["link"], if_not_exists=True)
