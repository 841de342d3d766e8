"""Acts of staff on a broadcast. Each returns the changed broadcast, or a refusal as a text key."""

from collections.abc import Iterable
from typing import Final

import msgspec

from passerby.domain.alone import DAY_S
from passerby.domain.approvals import is_second
from passerby.domain.broadcasts.codes import is_language
from passerby.domain.broadcasts.live_numbers import has_number
from passerby.domain.broadcasts.options import needs_idle, needs_moment
from passerby.domain.pieces import CAPTION_MOST, TEXT_MOST, WRITTEN
from passerby.kernel.broadcast import Audience, Broadcast, BroadcastState, Category, LinkButton, Variant
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env
from passerby.kernel.ids import PersonId
from passerby.kernel.staff import COMMAND_LINE, Role, StaffFacts
from passerby.kernel.staff_requests import BroadcastAct

RECALL_S: Final = 48 * 3600.0
"""For how long a bot may delete its messages (source: Bot API, deleteMessage)."""
LASTS_S: Final = 3 * 86_400.0
"""How long people who are busy, or whose usual hour comes later, may still get it."""
BUTTONS_MOST: Final = 8
LABEL_MOST: Final = 64
LINK_STARTS: Final = ("https://", "tg://")
CARRIED: Final = frozenset(
    {Kind.TEXT, Kind.PHOTO, Kind.VIDEO, Kind.ANIMATION, Kind.AUDIO, Kind.VOICE, Kind.VIDEO_NOTE, Kind.DOCUMENT}
)
"""The kinds of messages that can be broadcast."""

_EDITABLE: Final = frozenset({BroadcastState.DRAFT})
_UNDER_WAY: Final = frozenset(
    {BroadcastState.SUBMITTED, BroadcastState.SCHEDULED, BroadcastState.STARTING, BroadcastState.RUNNING}
)


class WrongButton(Exception):
    """`why` is a text key, `line` the line that is wrong."""

    def __init__(self, why: str, line: str) -> None:
        super().__init__(why)
        self.why = why
        self.line = line


def buttons_in(words: str) -> tuple[LinkButton, ...]:
    """Buttons from lines `label | https://link`. Raises: WrongButton."""
    found = []
    for line in filter(None, map(str.strip, words.splitlines())):
        label, bar, url = (part.strip() for part in line.rpartition("|"))
        shown = line[:LABEL_MOST]
        if not bar:
            raise WrongButton("broadcasts.button_bar", shown)
        if not label or len(label) > LABEL_MOST:
            raise WrongButton("broadcasts.button_label", shown)
        if not url.startswith(LINK_STARTS) or " " in url:
            raise WrongButton("broadcasts.button_link", shown)
        found.append(LinkButton(label, url))
    if len(found) > BUTTONS_MOST:
        raise WrongButton("broadcasts.button_many", "")
    return tuple(found)


def no_correction(broadcast: Broadcast, facts: StaffFacts, env: Env) -> str | None:
    """Why `facts.me` may not change a text that people have or are getting; a text key. None: they may.

    It obeys the rules of sending. Nobody approves a text that is on its way, so what needs a second member cannot be
    corrected: stop or recall it, and send another one.
    """
    assert facts.me is not None, "only staff correct"
    if broadcast.started_at is None or broadcast.recalls:
        return "broadcasts.not_now"
    if broadcast.category is Category.SYSTEM and facts.me.role is not Role.OWNER:
        return "broadcasts.owner_needed"
    if broadcast.approved_by is not None or broadcast.people > env.rules.approval_above:
        return "broadcasts.too_many"
    return None


def written(broadcast: Broadcast, variant: Variant, facts: StaffFacts, env: Env) -> Broadcast | str:
    """With this message, in place of an earlier one for its language and arm.

    For all but drafts that is a correction: everybody who got it will see it, so it must be of the same kind. See
    `no_correction` for who may write it.
    """
    if variant.content.group is not None:
        return "broadcasts.no_album"
    if variant.content.kind not in CARRIED:
        return "broadcasts.wrong_kind"
    is_text = variant.content.kind in WRITTEN
    # Telegram counts UTF-16 units.
    if len(variant.content.text.encode("utf-16-le")) // 2 > (TEXT_MOST if is_text else CAPTION_MOST):
        return "broadcasts.too_long" if is_text else "broadcasts.caption_too_long"
    if variant.language and not is_language(variant.language):
        return "broadcasts.unknown_language"
    key = (variant.language, variant.arm)
    older = next((each for each in broadcast.variants if (each.language, each.arm) == key), None)
    if older is not None and not variant.buttons:
        variant = msgspec.structs.replace(variant, buttons=older.buttons)
    variants = tuple(variant if each is older else each for each in broadcast.variants)
    if older is None:
        variants = (*broadcast.variants, variant)
    changed = msgspec.structs.replace(broadcast, variants=variants, composing=None)
    if broadcast.state in _EDITABLE:
        return changed
    refusal = no_correction(broadcast, facts, env)
    if refusal is not None:
        return refusal
    if older is None or older.content.kind is not variant.content.kind:
        return "broadcasts.wrong_kind"
    if has_number(variant.content):
        return "broadcasts.no_number"
    return msgspec.structs.replace(changed, revision=broadcast.revision + 1)


def plain(words: str) -> Content:
    """A text that was not written in Telegram."""
    return Content(Kind.TEXT, words)


def has_message(broadcast: Broadcast, language: str, arm: str) -> bool:
    return any((each.language, each.arm) == (language, arm) for each in broadcast.variants)


def with_buttons(broadcast: Broadcast, language: str, arm: str, buttons: tuple[LinkButton, ...]) -> Broadcast:
    variants = tuple(
        msgspec.structs.replace(each, buttons=buttons) if (each.language, each.arm) == (language, arm) else each
        for each in broadcast.variants
    )
    return msgspec.structs.replace(broadcast, variants=variants, composing=None)


def act(broadcast: Broadcast, what: BroadcastAct, facts: StaffFacts, env: Env) -> Broadcast | str:
    """Return the changed broadcast; or the reason against it, as a text key. For previews and tests see `tried`."""
    assert facts.me is not None, "only staff act"
    match what:
        case BroadcastAct.START:
            return _start(broadcast, facts, env)
        case BroadcastAct.APPROVE:
            if broadcast.state is not BroadcastState.SUBMITTED:
                return "broadcasts.not_now"
            if facts.me.number == COMMAND_LINE or broadcast.submitted_by is None:
                return "broadcasts.second_needed"
            if not is_second(facts.me, broadcast.submitted_by, facts):
                return "broadcasts.second_needed"
            return _begun(msgspec.structs.replace(broadcast, approved_by=facts.me.number), env)
        case BroadcastAct.PAUSE:
            return _moved(broadcast, _UNDER_WAY - {BroadcastState.SUBMITTED}, BroadcastState.PAUSED)
        case BroadcastAct.RESUME:
            return _resumed(broadcast, env)
        case BroadcastAct.STOP:
            stopped = _moved(broadcast, frozenset(BroadcastState) - _OVER, BroadcastState.STOPPED)
            return stopped if isinstance(stopped, str) else msgspec.structs.replace(stopped, ended_at=env.now)
        case BroadcastAct.RECALL:
            return _recalled(broadcast, env)
        case _:
            raise AssertionError(f"{what} changes nothing here")


_OVER: Final = frozenset({BroadcastState.ENDED, BroadcastState.STOPPED})


def _start(broadcast: Broadcast, facts: StaffFacts, env: Env) -> Broadcast | str:
    assert facts.me is not None
    if broadcast.state is not BroadcastState.DRAFT:
        return "broadcasts.not_now"
    if not broadcast.variants:
        return "broadcasts.no_message"
    if broadcast.category is Category.SYSTEM and facts.me.role is not Role.OWNER:
        return "broadcasts.owner_needed"
    if needs_idle(broadcast):
        return "broadcasts.idle_needed"
    if needs_moment(broadcast):
        return "broadcasts.moment_needed"
    if broadcast.starts_at is not None and broadcast.starts_at <= env.now:
        return "broadcasts.at_is_over"
    if facts.reach is None or not facts.reach.people:
        return "broadcasts.nobody"
    submitted = msgspec.structs.replace(broadcast, submitted_by=facts.me.number, composing=None)
    if facts.alone.reached + facts.reach.at_most > env.rules.approval_above:
        return msgspec.structs.replace(submitted, state=BroadcastState.SUBMITTED)
    return _begun(submitted, env)


def needs_second(broadcast: Broadcast, people: int, others: Iterable[Broadcast], alone: int, now: float) -> bool:
    """Whether a broadcast needs a second member, now that its people are known: so many `people` are stored.

    Since it was started, its audience may have grown: it was scheduled, or paused, or is this week's edition. `others`
    are the latest broadcasts. `alone`: to so many people a member may write in a day without a second one.
    """
    if broadcast.approved_by is not None or broadcast.is_test:
        return False
    earlier = sum(
        each.people
        for each in others
        if (each.submitted_by, each.approved_by, each.is_test) == (broadcast.submitted_by, None, False)
        and each.number != broadcast.number
        and each.started_at is not None
        and now - each.started_at < DAY_S
    )
    return people + earlier > alone


def _begun(broadcast: Broadcast, env: Env) -> Broadcast | str:
    if needs_moment(broadcast):
        return "broadcasts.moment_needed"
    later = broadcast.starts_at is not None and (broadcast.weekly or broadcast.starts_at > env.now)
    return msgspec.structs.replace(broadcast, state=BroadcastState.SCHEDULED if later else BroadcastState.STARTING)


def _resumed(broadcast: Broadcast, env: Env) -> Broadcast | str:
    if broadcast.state is not BroadcastState.PAUSED:
        return "broadcasts.not_now"
    resumed = msgspec.structs.replace(broadcast, why="", watched_until=None)
    if broadcast.started_at is not None:
        # The member who resumes after the canary has looked at it.
        wave = 1 if broadcast.why else broadcast.wave
        return msgspec.structs.replace(resumed, state=BroadcastState.RUNNING, wave=wave)
    if broadcast.weekly:
        return _begun(resumed, env)
    return msgspec.structs.replace(resumed, state=BroadcastState.STARTING, starts_at=None)


def _recalled(broadcast: Broadcast, env: Env) -> Broadcast | str:
    if broadcast.started_at is None or broadcast.recalls or env.now - broadcast.started_at > RECALL_S + LASTS_S:
        return "broadcasts.not_now"
    state = broadcast.state if broadcast.is_over else BroadcastState.STOPPED
    ended_at = broadcast.ended_at if broadcast.is_over else env.now
    return msgspec.structs.replace(broadcast, recalls=True, state=state, ended_at=ended_at)


def _moved(broadcast: Broadcast, sources: frozenset[BroadcastState], target: BroadcastState) -> Broadcast | str:
    if broadcast.state not in sources:
        return "broadcasts.not_now"
    return msgspec.structs.replace(broadcast, state=target, composing=None)


def tried(broadcast: Broadcast, number: int, people: tuple[PersonId, ...], by: int, env: Env) -> Broadcast | str:
    """A broadcast of the same message to these staff members only, at once."""
    if not broadcast.variants:
        return "broadcasts.no_message"
    return Broadcast(
        number,
        BroadcastState.STARTING,
        by,
        env.now,
        broadcast.category,
        Audience(people=people),
        broadcast.variants,
        silent=broadcast.silent,
        canary=False,
        of=broadcast.number,
        is_test=True,
    )


def edition_of(broadcast: Broadcast, number: int, now: float) -> tuple[Broadcast, Broadcast]:
    """This week's edition of a weekly broadcast, and the broadcast with the time of the next one."""
    week_s = 7 * 86_400.0
    assert broadcast.starts_at is not None, "only scheduled ones have editions"
    missed = int((now - broadcast.starts_at) // week_s)
    edition = msgspec.structs.replace(
        broadcast,
        number=number,
        state=BroadcastState.STARTING,
        made_at=now,
        of=broadcast.number,
        starts_at=None,
        weekly=False,
    )
    return edition, msgspec.structs.replace(broadcast, starts_at=broadcast.starts_at + (missed + 1) * week_s)
