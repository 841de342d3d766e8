"""The tables of broadcasts and of the people whom they go to. They are in the same metadata as `tables`."""

from typing import Final

import sqlalchemy as sa

from passerby.adapters.sql.metadata import ROW_ID, metadata, partial_index

SAMPLED_PLACES: Final = 200_000_000
"""A fifth of the places (`domain.broadcasts.canary.PLACES`)."""


def is_sampled(place: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """The condition for a target that may be in a sample, written as in the index."""
    return place < sa.literal_column(str(SAMPLED_PLACES))


broadcasts = sa.Table(
    "broadcasts",
    metadata,
    sa.Column("number", ROW_ID, primary_key=True, autoincrement=False),
    sa.Column("is_open", sa.Boolean, nullable=False, comment="the fleet has something to do for it"),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("is_test", sa.Boolean, nullable=False, comment="a preview or a test: it does not count for anybody"),
    sa.Column("made_at", sa.Double, nullable=False),
    sa.Column("body", sa.Text, nullable=False, comment="JSON: the broadcast with its message"),
)

broadcast_targets = sa.Table(
    "broadcast_targets",
    metadata,
    # One row for each person who was frozen. It is claimed before its copy is sent (see `broadcasts`).
    sa.Column("broadcast", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("person_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("bot_id", sa.BigInteger, nullable=False),
    sa.Column("place", sa.Integer, nullable=False, comment="random; turns go by place"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("due_at", sa.Double, nullable=False, server_default="0", comment="not before then"),
    sa.Column(
        "is_planned", sa.Boolean, nullable=False, server_default=sa.false(), comment="their usual hour was chosen"
    ),
    sa.Column("claim", sa.Text, comment="who claimed it last"),
    sa.Column("at", sa.Double, comment="when it was claimed or settled"),
    sa.Column("message_id", sa.BigInteger, comment="null: not sent, or it cannot be changed any more"),
    sa.Column("arm", sa.Text),
    sa.Column("language", sa.Text, comment="the person's when it was sent"),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0", comment="the correction that they have"),
)

# The broadcasts that the fleet has something to do for, the targets whose turn is to come, and those that are claimed.
partial_index("ix_broadcasts_open", broadcasts.c.number, where=broadcasts.c.is_open)
partial_index(
    "ix_broadcast_targets_waiting",
    broadcast_targets.c.broadcast,
    broadcast_targets.c.bot_id,
    broadcast_targets.c.place,
    where=broadcast_targets.c.state == sa.literal_column("'waiting'"),
)
partial_index(
    "ix_broadcast_targets_sending",
    broadcast_targets.c.broadcast,
    where=broadcast_targets.c.state == sa.literal_column("'sending'"),
)
# Samples of the targets of large broadcasts (see `broadcast_figures`).
partial_index(
    "ix_broadcast_targets_sample",
    broadcast_targets.c.broadcast,
    broadcast_targets.c.place,
    where=is_sampled(broadcast_targets.c.place),
)
# The broadcasts that a person got lately.
sa.Index("ix_broadcast_targets_person_id", broadcast_targets.c.person_id, broadcast_targets.c.at)
