"""The options of a broadcast as a form: one field each, with what it means.

The form becomes the same words as in the staff bot, so one parser reads them and says what is wrong.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from passerby.domain.broadcasts.options import ANY, shown
from passerby.kernel.broadcast import Broadcast, Category
from passerby.kernel.participant import Gender

_ON_OFF: Final = (("on", "yes"), ("off", "no"))
_MOST: Final = 200
TICK: Final = "bot."
TICKS: Final = "bots"
"""The box of each bot is named after it. This field says that there were boxes."""


class Field(NamedTuple):
    """`choices` are (value, label); without them it is typed in a box of this `kind`. `ticks`: any number of them."""

    name: str
    label: str
    hint: str
    choices: tuple[tuple[str, str], ...] = ()
    kind: str = "text"
    value: str = ""


WHO: Final = (
    Field("bot", "Bots", "No tick: every bot.", kind="ticks"),
    Field("language", "Languages", "Codes with commas, such as de,en. Empty: every language."),
    Field("gender", "Gender", "", ((ANY, "everybody"), *((each.value, each.value) for each in Gender))),
    Field("age", "Age", "Such as 18-30, or 18- without an upper end. Empty: every age."),
    Field("active", "Here in the last days", "How many days, up to 3,650. Empty: no matter when.", kind="decimal"),
    Field(
        "idle",
        "Not here for days",
        "How many days, fewer than above. The category comeback needs 7 or more.",
        kind="decimal",
    ),
    Field("source", "Came first by", "Tags of links with commas; also invite, promo, affiliate. Empty: any way."),
    Field("vip", "VIP", "", ((ANY, "no matter"), ("on", "only VIPs"), ("off", "only the others"))),
)
HOW: Final = (
    Field(
        "category",
        "Category",
        "People turn each category off by itself. Nobody turns off system: only owners send it. VIPs get no promo.",
        tuple((each.value, each.value) for each in Category),
    ),
    Field("at", "Not before (UTC)", "Empty: as soon as it is started.", kind="moment"),
    Field("weekly", "Every week from then on", "Needs a moment above.", _ON_OFF),
    Field("hour", "At each person's usual hour", "The hour at which most of their chats began.", _ON_OFF),
    Field("silent", "Without a sound", "", _ON_OFF),
    Field(
        "canary",
        "Try it on a few first (canary)",
        "A hundredth of the people, 200 or more, get it ten minutes before all others. It pauses if unusually many of "
        "them leave.",
        _ON_OFF,
    ),
    Field("holdout", "Share that gets nothing, in %", "For comparison. From 0 to 50.", kind="numeric"),
    Field("paid", "Paid sending", "Telegram may charge Stars for messages above its free rate.", _ON_OFF),
)
_NAMES: Final = tuple(each.name for each in (*WHO, *HOW))


def words_of(form: Mapping[str, str]) -> str:
    """The options, one a line. An empty box takes a condition back."""
    form = _with_ticks(form)
    return "".join(f"{name}={_value(name, form[name])}\n" for name in _NAMES if name in form)


def _with_ticks(form: Mapping[str, str]) -> Mapping[str, str]:
    """With the bots that were ticked as one value."""
    if TICKS not in form:
        return form
    return {**form, "bot": ",".join(name.removeprefix(TICK) for name in form if name.startswith(TICK))}


def _value(name: str, typed: str) -> str:
    value = " ".join(typed.split())[:_MOST]
    return value or ("0" if name == "holdout" else ANY)


def fields(
    broadcast: Broadcast, typed: Mapping[str, str] | None, bots: Sequence[tuple[str, str]]
) -> tuple[tuple[str, list[Field]], ...]:
    """The form's two parts. `typed`: what was refused stays in its boxes. `bots`: number and name of each."""
    values = (
        dict(word.partition("=")[::2] for word in shown(broadcast).split()) if typed is None else _with_ticks(typed)
    )

    def filled(field: Field) -> Field:
        if field.kind == "ticks":
            ticked = values.get(field.name, "")
            gone = ((each, each) for each in ticked.split(",") if each and each not in dict(bots))
            return field._replace(value=ticked, choices=(*bots, *gone))
        value = values.get(field.name, ANY if field.choices else "")
        # Several genders are no choice of the form, but the staff bot takes them.
        is_other = bool(field.choices) and value not in dict(field.choices)
        choices = (*field.choices, (value, value)) if is_other else field.choices
        return field._replace(value=value[:_MOST], choices=choices)

    return ("Who gets it", [filled(each) for each in WHO]), ("When and how", [filled(each) for each in HOW])


_UNSET: Final = {
    "bot": "every bot",
    "language": "every language",
    "gender": "everybody",
    "age": "every age",
    "active": "no matter when",
    "idle": "no matter",
    "source": "any way",
    "vip": "no matter",
    "at": "as soon as it is started",
}


def summary(broadcast: Broadcast, name_of: Callable[[str], str]) -> list[tuple[str, str]]:
    """The options in words, in the order of the form. A condition that is not set is named, too."""
    values = dict(word.partition("=")[::2] for word in shown(broadcast).split())
    return [
        (field.label, _said(field, values.get(field.name, ""), name_of))
        for field in (*WHO, *HOW)
        if field.name in values or field.name in _UNSET
    ]


def _said(field: Field, value: str, name_of: Callable[[str], str]) -> str:
    if not value:
        return _UNSET[field.name]
    if field.name == "bot":
        return ", ".join(map(name_of, value.split(",")))
    return value.replace("T", " ") if field.name == "at" else dict(field.choices).get(value, value)
