"""Every field that a message may have, and every kind of content with the ways it takes: read off the tables that do
the work. Nothing here decides; `docs/reference/content-kinds.md` is written from it, and tests hold it against the Bot
API's schema and against what the relay does.
"""

from msgspec import Struct

from passerby.adapters.botapi import wire
from passerby.adapters.botapi.methods import CAPTIONED, COPIED, EXCHANGEABLE, GROUPED, MEDIA, REWORDED, WRITTEN
from passerby.kernel.content import Kind


class Way(Struct, frozen=True):
    """How a kind travels; empty where it does not. All but `fields` are Bot API methods.

    `fields`: of a message, those that make it this kind. `copied`: on one bot, where it cannot be sent anew.
    """

    kind: Kind
    fields: tuple[str, ...]
    sent: str = ""
    copied: str = ""
    grouped: str = ""
    edits: tuple[str, ...] = ()
    uploads: bool = False
    """Whether a file goes along, which the other bot may not have seen yet."""


_FIELDS = {Kind.GIVEAWAY: ("giveaway", "giveaway_winners"), Kind.SERVICE: wire.SERVICE_FIELDS, Kind.UNKNOWN: ()}

UNREAD = frozenset(
    {
        "direct_messages_topic", "sender_chat", "sender_boost_count", "sender_tag", "sender_business_bot",
        "receiver_user", "ephemeral_message_id", "guest_query_id", "business_connection_id",
        "forward_origin", "is_automatic_forward", "external_reply", "reply_to_story",
        "reply_to_checklist_task_id", "reply_to_poll_option_id", "via_bot", "guest_bot_caller_user",
        "guest_bot_caller_chat", "is_from_offline", "is_paid_post", "author_signature", "paid_star_count",
        "link_preview_options", "suggested_post_info", "reply_markup",
    }
)  # fmt: skip
"""Fields that no part of the relay ever sees: most of them name somebody."""


def way(kind: Kind) -> Way:
    """The row of a kind."""
    fields = _FIELDS.get(kind, (kind.value,))
    edits = (
        *([REWORDED[kind]] if kind in REWORDED else []),
        *(["editMessageCaption"] if kind in CAPTIONED else []),
        *(["editMessageMedia"] if kind in EXCHANGEABLE else []),
    )
    return Way(
        kind,
        fields,
        sent=MEDIA[kind][0] if kind in MEDIA else WRITTEN.get(kind, ""),
        copied="copyMessage" if kind in COPIED else "",
        grouped="sendMediaGroup" if kind in GROUPED else "",
        edits=edits,
        uploads=kind in MEDIA,
    )


def beside() -> frozenset[str]:
    """The fields that are looked at and are no content of their own."""
    of_kinds = {field for kind in Kind for field in way(kind).fields}
    return frozenset(_read_fields()) - of_kinds


def _read_fields() -> tuple[str, ...]:
    return wire.Message.__struct_encode_fields__
