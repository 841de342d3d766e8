"""Every field of a message has a place: it is content of some kind, it is read beside the content, or it is never
read."""

import json
from typing import Any

import pytest

from passerby.adapters.botapi import updates_answer
from passerby.adapters.botapi.contents import content
from passerby.adapters.botapi.kinds import UNREAD, beside, way
from passerby.domain.sanitise import REFUSED
from passerby.kernel.content import Kind
from tests.adapters.botapi.specimens import fields, fullest, schema, smallest
from tests.adapters.botapi.test_decode import message


def test_a_field_that_telegram_adds_must_be_given_a_place() -> None:
    """If this fails after an update of the schema: add the field to `wire` and `decode`, or to UNREAD."""
    of_kinds = [field for kind in Kind for field in way(kind).fields]
    assert len(of_kinds) == len(set(of_kinds))
    assert not set(of_kinds) & beside()
    assert not UNREAD & (set(of_kinds) | beside())
    assert {*of_kinds, *beside(), *UNREAD} == set(fields("Message"))


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.UNKNOWN])
@pytest.mark.parametrize("specimen", [smallest, fullest])
def test_each_field_of_a_kind_makes_that_kind(kind: Kind, specimen: Any) -> None:
    assert way(kind).fields
    for field in way(kind).fields:
        value = specimen(fields("Message")[field]["types"][0])
        raw = updates_answer._updates.decode(_update({field: value}))
        assert raw.message is not None
        assert content(raw.message).kind is kind, field


@pytest.mark.parametrize("field", sorted(UNREAD))
def test_fields_that_are_never_read_make_no_difference(field: str) -> None:
    value = fullest(fields("Message")[field]["types"][0])
    without, with_it = ({"text": "hi"}, {"text": "hi", field: value})
    assert updates_answer._updates.decode(_update(without)) == updates_answer._updates.decode(_update(with_it))


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_can_be_sent_or_has_an_explanation(kind: Kind) -> None:
    row = way(kind)
    assert bool(row.sent) is (kind not in REFUSED)
    if kind in REFUSED:
        assert (row.copied, row.grouped, row.edits, row.uploads) == ("", "", (), False)
    for method in (row.sent, row.copied, row.grouped, *row.edits):
        assert not method or method in schema()["methods"]


def _update(members: dict[str, Any]) -> bytes:
    return json.dumps({"update_id": 1, "message": message(**members)}).encode()
