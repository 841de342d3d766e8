"""All fields that a message may have, and all kinds of content with their ways of sending. Everything is read from the
tables that do the work; nothing is decided here. `docs/reference/content-kinds.md` is generated from it. Tests compare
it with the Bot API's schema and with the relay.
"""

from msgspec import Struct

from passerby.adapters.botapi import wire
from passerby.adapters.botapi.methods import CAPTIONED, COPIED, EXCHANGEABLE, GROUPED, MEDIA, REWORDED, WRITTEN
from passerby.kernel.content import Kind


class Way(Struct, frozen=True):
    """How a kind is sent; a member is empty if the kind is not sent that way. All but `fields` are Bot API methods.

    `fields`: the members of a message that make it this kind. `copied`: on one bot, if it cannot be rebuilt.
    """

    kind: Kind
    fields: tuple[str, ...]
    sent: str = ""
    copied: str = ""
    grouped: str = ""
    edits: tuple[str, ...] = ()
    uploads: bool = False
    """Whether a file goes along that the other bot may not know yet."""


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
"""Fields that no part of the relay ever sees. Most of them name somebody."""


def way(kind: Kind) -> Way:
    """Return the row of a kind."""
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
    """Return the fields that are read and are not content."""
    of_kinds = {field for kind in Kind for field in way(kind).fields}
    return frozenset(_read_fields()) - of_kinds


def _read_fields() -> tuple[str, ...]:
    return wire.Message.__struct_encode_fields__
