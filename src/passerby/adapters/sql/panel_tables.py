"""The tables of the operators' panel. They are in the same metadata as `tables`.

Logins and sessions change in staff decisions, and when a session is used. Overrides only grow.
"""

import sqlalchemy as sa

from passerby.adapters.sql.tables import metadata

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

panel_logins = sa.Table(
    "panel_logins",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="the code that the panel shows, or a link's digest"),
    sa.Column("browser", sa.Text, nullable=False, comment="SHA-256 of the asking browser's secret; empty: any"),
    sa.Column("made_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
    sa.Column("link", sa.Text, nullable=False, comment="SHA-256 of the secret in the link; empty: none was sent"),
    sa.Column("member", sa.BigInteger, comment="the number of a staff member; 0: the command line"),
    sa.Column("confirmed_at", sa.Double),
    sa.Column("used_at", sa.Double),
)

panel_sessions = sa.Table(
    "panel_sessions",
    metadata,
    sa.Column("number", _ROW_ID, primary_key=True, autoincrement=False),
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
    sa.Column("passkey_at", sa.Double, comment="when a passkey was last shown; null: not yet"),
)

panel_passkeys = sa.Table(
    "panel_passkeys",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="the id of the passkey, in base64url"),
    sa.Column("member", sa.BigInteger, nullable=False, comment="the number of a staff member"),
    sa.Column("key", sa.Text, nullable=False, comment="the public key (COSE), in base64url"),
    sa.Column("count", sa.BigInteger, nullable=False, comment="how often it was used, as it says itself; 0: no count"),
    sa.Column("label", sa.Text, nullable=False, comment="where it was made, in our words"),
    sa.Column("made_at", sa.Double, nullable=False),
    sa.Column("used_at", sa.Double),
)

panel_limits = sa.Table(
    "panel_limits",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="what is limited"),
    sa.Column("began_at", sa.Double, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
)

panel_figures = sa.Table(
    "panel_figures",
    metadata,
    # Figures that would take too long to count for each page. They name nobody.
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False, comment="the day or the minute"),
    sa.Column("body", sa.Text, nullable=False, comment="JSON"),
    sa.Column("at", sa.Double, nullable=False, comment="when it was counted"),
)

faults = sa.Table(
    "faults",
    metadata,
    sa.Column("fingerprint", sa.Text, primary_key=True, comment="of the event, the exception's type and our frames"),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False, comment="the exception's type"),
    sa.Column("frames", sa.Text, nullable=False, comment="JSON list: our own frames"),
    sa.Column("first_at", sa.Double, nullable=False),
    sa.Column("last_at", sa.Double, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Text, nullable=False, comment="of the release that had it last"),
    sa.Column("resolved_at", sa.Double, comment="null: not resolved, or it came back"),
)

overrides = sa.Table(
    "overrides",
    metadata,
    # Changes that staff made while the fleet runs. The newest row of a key counts; the others are its versions.
    sa.Column("number", _ROW_ID, primary_key=True, autoincrement=False),
    sa.Column("what", sa.Text, nullable=False, comment="setting or text"),
    sa.Column("name", sa.Text, nullable=False, comment="of the setting, or the text's key"),
    sa.Column("bot_id", sa.BigInteger, nullable=False, comment="0: every bot"),
    sa.Column("language", sa.Text, nullable=False, comment="of the text; empty for a setting"),
    sa.Column("value", sa.Text, comment="a setting as it may be written, or a JSON list of wordings; null: default"),
    sa.Column("by", sa.BigInteger, nullable=False, comment="the number of a staff member; 0: the command line"),
    sa.Column("at", sa.Double, nullable=False),
)

# The versions of a setting or a text.
sa.Index("ix_overrides_name", overrides.c.name, overrides.c.number)
# The browser that uses a session, and the login of a link.
sa.Index("ix_panel_sessions_digest", panel_sessions.c.digest)
sa.Index("ix_panel_passkeys_member", panel_passkeys.c.member)
sa.Index("ix_panel_logins_link", panel_logins.c.link)
