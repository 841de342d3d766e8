"""Writing a broadcast: the next message that a staff member sends becomes its message, or its buttons."""

import msgspec

from passerby.dialogue.staff import answer, refused
from passerby.domain.broadcasts.actions import (
    BUTTONS_MOST,
    LABEL_MOST,
    LINK_STARTS,
    WrongButton,
    buttons_in,
    has_message,
    with_buttons,
    written,
)
from passerby.domain.broadcasts.live_numbers import WAITING
from passerby.domain.broadcasts.options import WrongOption, with_options
from passerby.domain.broadcasts.starting import seal_of
from passerby.domain.pieces import CAPTION_MOST, TEXT_MOST
from passerby.kernel.broadcast import Broadcast, BroadcastState, Composing, Variant
from passerby.kernel.decision import Env
from passerby.kernel.effect import Say
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.staff import Allowed, AuditNote, Permission, StaffDecision, StaffFacts
from passerby.kernel.staff_requests import BroadcastKept, BroadcastNew, BroadcastSet, BroadcastWritten
from passerby.kernel.text import Text, text
from passerby.staff.broadcasts.cards import card, menu

BUTTON = "label | https://example.org"
HOW_BUTTONS = text("broadcasts.send_buttons", example=BUTTON)
SEND_IT = text("broadcasts.send_it", sign=WAITING)
CODES = "de, en, pt"
EXAMPLE = "language=de,en age=18-30 active=30 silent=off"
EXAMPLES = {"broadcasts.idle_needed": "idle=30", "broadcasts.moment_needed": "at=2030-12-01T18:00"}
EDITABLE = frozenset({BroadcastState.DRAFT})


def named(broadcast: Broadcast) -> str:
    """How the audit names a broadcast."""
    return f"broadcast {broadcast.number}"


def _draft(facts: StaffFacts, env: Env, composing: Composing | None) -> tuple[Broadcast, AuditNote]:
    assert facts.me is not None, "only staff write broadcasts"
    draft = Broadcast(facts.next_broadcast, BroadcastState.DRAFT, facts.me.number, env.now, composing=composing)
    return draft, AuditNote("broadcast.made", named(draft))


def new_pressed(event: ButtonPressed, facts: StaffFacts, env: Env) -> StaffDecision:
    """Make a draft, and ask for its message. Nothing else waits for a message of theirs any more."""
    assert facts.me is not None
    draft, note = _draft(facts, env, Composing(facts.me.number))
    shown = answer(event, SEND_IT)
    return StaffDecision(notes=(note,), broadcasts=(*_not_composing(facts), draft), effects=shown)


def made(asked: BroadcastNew, facts: StaffFacts, env: Env) -> StaffDecision:
    draft, note = _draft(facts, env, None)
    reply = text("broadcasts.made", number=draft.number)
    return StaffDecision(notes=(note,), broadcasts=(draft,), reply=reply)


def _not_composing(facts: StaffFacts) -> tuple[Broadcast, ...]:
    assert facts.me is not None
    return tuple(
        msgspec.structs.replace(each, composing=None)
        for each in facts.broadcasts
        if each.composing is not None and each.composing.by == facts.me.number
    )


def compose(
    event: MessageReceived | ButtonPressed, broadcast: Broadcast, composing: Composing, facts: StaffFacts
) -> StaffDecision:
    """Ask for the message, or for its buttons."""
    others = tuple(each for each in _not_composing(facts) if each.number != broadcast.number)
    asks = msgspec.structs.replace(broadcast, composing=composing)
    asked = HOW_BUTTONS if composing.buttons else SEND_IT
    note = AuditNote("broadcast.composing", named(broadcast))
    said = (Say(event.person, asked),) if isinstance(event, MessageReceived) else answer(event, asked)
    return StaffDecision(notes=(note,), broadcasts=(*others, asks), effects=said)


def awaits(event: MessageReceived, facts: StaffFacts) -> Allowed | None:
    """Whether the staff member was asked for a message."""
    assert facts.me is not None
    mine = (each for each in facts.broadcasts if each.composing is not None and each.composing.by == facts.me.number)
    broadcast = next(mine, None)
    if broadcast is None:
        return None

    def decide(event: MessageReceived, facts: StaffFacts, env: Env) -> StaffDecision:
        return _received(event, broadcast, facts, env)

    return Allowed(decide, Permission.BROADCAST)


def _received(event: MessageReceived, broadcast: Broadcast, facts: StaffFacts, env: Env) -> StaffDecision:
    composing = broadcast.composing
    assert composing is not None, "it waits for this message"
    if composing.buttons:
        try:
            buttons = buttons_in(event.text)
        except WrongButton as wrong:
            return refused(event, wrong_button(wrong))
        if not buttons:
            return refused(event, HOW_BUTTONS)
        return _shown(event, with_buttons(broadcast, composing.language, composing.arm, buttons), facts)
    if len(event.contents) > 1:
        return refused(event, text("broadcasts.no_album"))
    variant = Variant(event.contents[0], composing.language, composing.arm, (), event.person)
    changed = written(broadcast, variant, facts, env)
    if isinstance(changed, str):
        return refused(event, why_not(changed, composing.language))
    return _shown(event, changed, facts)


def why_not(key: str, language: str) -> Text:
    """Why a message is not taken."""
    match key:
        case "broadcasts.no_number":
            return text(key, sign=WAITING)
        case "broadcasts.unknown_language":
            return text(key, language=language, example=CODES)
        case "broadcasts.too_long" | "broadcasts.caption_too_long":
            return text(key, most=TEXT_MOST if key == "broadcasts.too_long" else CAPTION_MOST)
        case _:
            return text(key)


def wrong_button(wrong: WrongButton) -> Text:
    """Why buttons are not taken."""
    match wrong.why:
        case "broadcasts.button_many":
            return text(wrong.why, most=BUTTONS_MOST)
        case "broadcasts.button_label":
            return text(wrong.why, line=wrong.line, most=LABEL_MOST)
        case "broadcasts.button_link":
            return text(wrong.why, line=wrong.line, starts=", ".join(LINK_STARTS), example=BUTTON)
        case _:
            return text(wrong.why, line=wrong.line, example=BUTTON)


def wrong_option(wrong: WrongOption) -> Text:
    """Why an option is not taken."""
    match wrong.why:
        case "broadcasts.unknown_language":
            return text(wrong.why, language=wrong.value, example=CODES)
        case "broadcasts.at_is_over":
            return text(wrong.why, at=f"{wrong.value} UTC")
        case "broadcasts.unknown_bot":
            return text(wrong.why, bot=wrong.value, **wrong.more)
        case "broadcasts.out_of_range" | "broadcasts.age_backwards" | "broadcasts.too_young":
            return text(wrong.why, option=wrong.word, **wrong.more)
        case "broadcasts.active_against_idle":
            return text(wrong.why, option=wrong.word, active="active", idle="idle")
        case "broadcasts.idle_needed" | "broadcasts.moment_needed":
            return text(wrong.why, example=EXAMPLES[wrong.why])
        case _:
            return text(wrong.why, option=wrong.word, example=EXAMPLE)


def _shown(event: MessageReceived, changed: Broadcast, facts: StaffFacts) -> StaffDecision:
    note = AuditNote("broadcast.written", named(changed), {"revision": changed.revision})
    said = Say(event.person, card(changed, facts), menu(changed))
    return StaffDecision(notes=(note,), broadcasts=(changed,), effects=(said,))


def written_asked(asked: BroadcastWritten, facts: StaffFacts, env: Env) -> StaffDecision:
    broadcast = facts.broadcast(asked.broadcast)
    if broadcast is None:
        return refused(asked, text("broadcasts.unknown"))
    changed = _with_message(asked, broadcast, facts, env)
    if isinstance(changed, Text):
        return refused(asked, changed)
    note = AuditNote("broadcast.written", named(changed), {"revision": changed.revision})
    return StaffDecision(notes=(note,), broadcasts=(changed,), reply=card(changed, facts))


def _with_message(
    asked: BroadcastWritten | BroadcastKept, broadcast: Broadcast, facts: StaffFacts, env: Env
) -> Broadcast | Text:
    try:
        buttons = buttons_in(asked.buttons)
    except WrongButton as wrong:
        return wrong_button(wrong)
    if asked.content is None:
        if not has_message(broadcast, asked.language, asked.arm):
            return text("broadcasts.no_message")
        return with_buttons(broadcast, asked.language, asked.arm, buttons) if buttons else broadcast
    changed = written(broadcast, Variant(asked.content, asked.language, asked.arm, buttons), facts, env)
    return why_not(changed, asked.language) if isinstance(changed, str) else changed


def kept_asked(asked: BroadcastKept, facts: StaffFacts, env: Env) -> StaffDecision:
    broadcast = facts.broadcast(asked.broadcast)
    if broadcast is None:
        return refused(asked, text("broadcasts.unknown"))
    if broadcast.state not in EDITABLE:
        return refused(asked, text("broadcasts.not_now"))
    if asked.seal and asked.seal != seal_of(broadcast):
        return refused(asked, text("broadcasts.changed"))
    done = set_options(asked, broadcast, asked.options, facts, env)
    if done.refused:
        return done
    (chosen,) = done.broadcasts
    notes = done.notes if chosen != broadcast else ()
    changed: Broadcast | Text = chosen
    if asked.content is not None or asked.buttons.strip() or asked.language or asked.arm != "A":
        changed = _with_message(asked, chosen, facts, env)
    if isinstance(changed, Text):
        return refused(asked, changed)
    if changed != chosen:
        notes = (*notes, AuditNote("broadcast.written", named(changed), {"revision": changed.revision}))
    stored = (changed,) if changed != broadcast else ()
    return StaffDecision(
        notes=notes, broadcasts=stored, reply=card(changed, msgspec.structs.replace(facts, reach=None))
    )


def options_asked(asked: BroadcastSet, facts: StaffFacts, env: Env) -> StaffDecision:
    return set_options(asked, facts.broadcast(asked.broadcast), asked.options, facts, env)


def set_options(event: object, broadcast: Broadcast | None, words: str, facts: StaffFacts, env: Env) -> StaffDecision:
    if broadcast is None:
        return refused(event, text("broadcasts.unknown"))
    if broadcast.state not in EDITABLE:
        return refused(event, text("broadcasts.not_now"))
    try:
        changed = with_options(broadcast, words, env.now, facts.fleet, env.rules.minimum_age)
    except WrongOption as wrong:
        return refused(event, wrong_option(wrong))
    # It was counted for the audience before this.
    facts = msgspec.structs.replace(facts, reach=None)
    note = AuditNote("broadcast.options", named(broadcast), {"options": " ".join(words.split())})
    said = card(changed, facts)
    effects = (Say(event.person, said, menu(changed)),) if isinstance(event, MessageReceived) else ()
    return StaffDecision(notes=(note,), broadcasts=(changed,), effects=effects, reply=said)
