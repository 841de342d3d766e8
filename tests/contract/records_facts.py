"""Facts to test the records with: written by hand, and drawn by Hypothesis."""

import msgspec
from hypothesis import strategies as st

from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, PoolId
from passerby.kernel.money import (
    Charge,
    ChargeId,
    GrantSource,
    OpenCase,
    PurchaseId,
    PurchaseOrder,
    RefundedBy,
    Subscription,
    SubscriptionState,
    VipGrant,
    Wallet,
)
from passerby.kernel.participant import (
    Blur,
    Chatting,
    Complaint,
    DataRequests,
    Gender,
    Idle,
    Karma,
    LastChat,
    Met,
    Participant,
    Preferences,
    Profile,
    Rating,
    Saved,
    Searching,
    State,
    Ticket,
)
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.spent import Spent
from passerby.ports.facts import (
    BlockChanged,
    ChatClosed,
    ChatOpened,
    ChatRated,
    ChatTold,
    ComplaintExplained,
    ComplaintFiled,
    Fact,
    PaymentCaseOpened,
    PersonChanged,
    PersonErased,
    ReferralLinkMade,
    ReferralReached,
)

NOW = 1_790_000_000.25


def person(
    number: int, version: int = 0, state: State | None = None, *, bot: int | None = 1, language: str = "en"
) -> Participant:
    bots = () if bot is None else (BotId(bot),)
    return Participant(
        person=PersonId(number),
        version=version,
        bot=None if bot is None else BotId(bot),
        bots=bots,
        profile=Profile(NOW, 30, NOW, Gender.UNSAID, language),
        state=state or Idle(),
        seen_at=NOW,
    )


def searching(number: int, version: int = 0, *, pool: str = "adults", since: float = NOW) -> Participant:
    met = (Met(PersonId(7), since - 60), Met(PersonId(8), since - 90, True))
    ticket = Ticket(PersonId(number), PoolId(pool), since, Gender.FEMALE, 30, met)
    return person(number, version, Searching(ticket))


def chatting(number: int, partner: int, chat: str, version: int = 0) -> Participant:
    return person(number, version, Chatting(ChatId(chat), PersonId(partner), NOW))


def banned_for_good(number: int, version: int = 0) -> Participant:
    ban = Sanction(f"ban{number}", SanctionKind.BANNED, Reason.SPAM, NOW)
    return msgspec.structs.replace(person(number, version), sanctions=(ban,))


def changed(value: Participant, at: float = NOW) -> PersonChanged:
    return PersonChanged(value, at)


def opened(chat: str, first: int = 1, second: int = 2, at: float = NOW) -> ChatOpened:
    return ChatOpened(ChatId(chat), PersonId(first), PersonId(second), BotId(11), BotId(12), at)


def closed(chat: str, by: int | None = 1, reason: str = "left", at: float = NOW + 60) -> ChatClosed:
    return ChatClosed(ChatId(chat), None if by is None else PersonId(by), reason, at)


def told(chat: str, who: int, message: int = 5, bot: int = 11, at: float = NOW + 1) -> ChatTold:
    return ChatTold(ChatId(chat), PersonId(who), MessageRef(BotId(bot), MessageId(message)), at)


def rated(chat: str, by: int, rating: Rating = Rating.GOOD, at: float = NOW + 90) -> ChatRated:
    return ChatRated(ChatId(chat), PersonId(by), rating, at)


def block(by: int, whom: int, blocked: bool = True, at: float = NOW) -> BlockChanged:
    return BlockChanged(PersonId(by), PersonId(whom), blocked, at)


def complaint(
    chat: str, by: int, whom: int = 2, reason: Complaint = Complaint.RUDE, at: float = NOW + 95
) -> ComplaintFiled:
    return ComplaintFiled(ChatId(chat), PersonId(by), PersonId(whom), reason, at)


def explained(chat: str, by: int, words: bytes = b"sealed", at: float = NOW + 99) -> ComplaintExplained:
    return ComplaintExplained(ChatId(chat), PersonId(by), words, at)


def asked(who: int, case: str = "case 1", at: float = NOW) -> PaymentCaseOpened:
    return PaymentCaseOpened(PersonId(who), case, b"sealed", at)


def erased(who: int, *, is_back: bool = False, at: float = NOW + 200) -> PersonErased:
    return PersonErased(PersonId(who), is_back, at)


def numbered(*facts: Fact, after: int = 0) -> list[tuple[int, Fact]]:
    return list(enumerate(facts, after + 1))


# PostgreSQL's text accepts all of Unicode except NUL. Surrogates are not text.
_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
# Every float that can be a time must come back unchanged (see `unreadable`).
_times = st.floats(-1e11, 1e11)
_persons = st.integers(1, 2**52 - 1).map(PersonId)
"""Telegram promises that its ids have at most 52 significant bits (source: Bot API, User.id)."""
_bots = st.integers(1, 2**52 - 1).map(BotId)
_chats = _texts.map(ChatId)
_ages = st.integers(0, 150)

_tags = st.lists(_texts, max_size=4).map(tuple)
_met = st.lists(
    st.builds(
        Met,
        person=_persons,
        at=_times,
        skipped=st.booleans(),
        chat=_chats,
        complaint=st.none() | st.sampled_from(Complaint),
    ),
    max_size=4,
).map(tuple)
_met_of_tickets = st.lists(st.builds(Met, person=_persons, at=_times, skipped=st.booleans()), max_size=4).map(tuple)
_blocked = st.lists(_persons, max_size=4).map(tuple)

_profiles = st.builds(
    Profile,
    consented_at=st.none() | _times,
    age=st.none() | _ages,
    age_given_at=_times,
    gender=st.none() | st.sampled_from(Gender),
    language=_texts,
    too_young_at=st.none() | _times,
    languages=_tags,
    interests=_tags,
    country=_texts,
    talks_anyhow=st.booleans(),
    age_mended_at=st.none() | _times,
)
_preferences = st.builds(
    Preferences,
    genders=st.lists(st.sampled_from(Gender), max_size=4).map(tuple),
    age_min=st.none() | _ages,
    age_max=st.none() | _ages,
    other_languages=st.booleans(),
    icebreakers=st.booleans(),
    blur=st.sampled_from(Blur),
)
_tickets = st.builds(
    Ticket,
    person=_persons,
    pool=_texts.map(PoolId),
    since=_times,
    gender=st.sampled_from(Gender),
    age=_ages,
    recent=_met_of_tickets,
    blocked=_blocked,
    languages=_tags,
    interests=_tags,
    wants=_preferences,
    vip=st.booleans(),
    karma=_times,
)
_states = st.one_of(
    st.just(Idle()),
    st.builds(Searching, ticket=_tickets),
    st.builds(Chatting, chat=_chats, partner=_persons, opened_at=_times, nudged_at=st.none() | _times),
)
_lasts = st.builds(
    LastChat,
    chat=_chats,
    partner=_persons,
    closed_at=_times,
    reason=_texts,
    left=st.booleans(),
    rating=st.none() | st.sampled_from(Rating),
    wants_back_at=st.none() | _times,
    complaint=st.none() | st.sampled_from(Complaint),
)
_saved = st.builds(
    Saved, token=_texts, person=_persons, nickname=_texts, mutual=st.booleans(), asked_at=st.none() | _times
)
_counts = st.integers(0, 2**31 - 1)
_codes = st.lists(st.tuples(_texts, _times), max_size=2).map(tuple)
_wallets = st.builds(
    Wallet,
    codes=_codes,
    orders=st.lists(
        st.builds(
            PurchaseOrder,
            id=_texts.map(PurchaseId),
            plan=_texts,
            days=_counts,
            stars=_counts,
            bot=_bots,
            made_at=_times,
            expires_at=_times,
            renews=st.booleans(),
            checked_at=_times,
        ),
        max_size=2,
    ).map(tuple),
    charges=st.lists(
        st.builds(
            Charge,
            id=_texts.map(ChargeId),
            bot=_bots,
            code=_texts,
            order=_texts,
            plan=_texts,
            stars=_counts,
            paid_at=_times,
            provider_id=_texts,
            first=_texts,
            found=st.booleans(),
            refund_owed_at=_times,
            refunded_by=st.none() | st.sampled_from(RefundedBy),
            refunded_at=_times,
            refund_refused_at=_times,
        ),
        max_size=2,
    ).map(tuple),
    grants=st.lists(
        st.builds(
            VipGrant,
            code=_texts,
            source=st.sampled_from(GrantSource),
            since=_times,
            lasts_s=_times,
            until=_times,
        ),
        max_size=2,
    ).map(tuple),
    subscriptions=st.lists(
        st.builds(
            Subscription,
            order=_texts,
            bot=_bots,
            plan=_texts,
            stars=_counts,
            first=_texts.map(ChargeId),
            first_provider=_texts,
            paid_until=_times,
            state=st.sampled_from(SubscriptionState),
        ),
        max_size=1,
    ).map(tuple),
    filtered_at=_times,
    refunded_at=_times,
    told_until=_times,
    told_end=_times,
    case=st.none() | st.builds(OpenCase, code=_texts, at=_times),
    invite=_texts,
)


def _with_own_ticket(value: Participant) -> Participant:
    """Records believe in no ticket of somebody else."""
    if not isinstance(value.state, Searching):
        return value
    ticket = msgspec.structs.replace(value.state.ticket, person=value.person)
    return msgspec.structs.replace(value, state=Searching(ticket))


participants = st.builds(
    Participant,
    person=_persons,
    version=st.integers(0, 2**60),
    bot=st.none() | _bots,
    bots=st.lists(_bots, max_size=5, unique=True).map(tuple),
    profile=_profiles,
    state=_states,
    last=st.none() | _lasts,
    seen_at=_times,
    preferences=_preferences,
    vip_until=_times,
    karma=st.builds(Karma, score=_times, at=_times),
    recent=_met,
    blocked=_blocked,
    saved=st.lists(_saved, max_size=3).map(tuple),
    requests=st.none()
    | st.builds(DataRequests, copy_at=_times, copied_at=_times, erase_at=_times, erasing=st.booleans()),
    wallet=st.none() | _wallets,
    block_names=st.lists(st.tuples(_persons, _texts), max_size=2).map(tuple),
    kept_wishes=st.lists(_preferences, max_size=2).map(tuple),
    spent=st.none() | st.builds(Spent, until=_times, steps=st.integers(0, 255), no_refund_until=_times, codes=_codes),
).map(_with_own_ticket)
"""Every field is named. If a new field were missing here, only its default would be tested."""

# A small world, so that the same people and chats appear repeatedly.
_few = st.integers(1, 4)
_few_chats = st.sampled_from(["a", "b", "c"])
_versions = st.integers(0, 9)
facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(lambda number, version: changed(person(number, version)), _few, _versions),
    st.builds(lambda number, version: changed(searching(number, version)), _few, _versions),
    st.builds(
        lambda number, partner, chat, version: changed(chatting(number, partner, chat, version)),
        _few,
        st.integers(5, 8),
        _few_chats,
        _versions,
    ),
    st.builds(opened, _few_chats, _few, _few, _times),
    st.builds(closed, _few_chats, st.none() | _few, _texts, _times),
    st.builds(told, _few_chats, _few, _few, _few, _times),
    st.builds(rated, _few_chats, _few, st.sampled_from(Rating), _times),
    st.builds(block, _few, _few, st.booleans(), _times),
    st.builds(complaint, _few_chats, _few, _few, st.sampled_from(Complaint), _times),
    st.builds(ReferralLinkMade, _few.map(PersonId), st.sampled_from(["t1", "t2"]), _times),
    st.builds(ReferralReached, _few.map(PersonId), st.sampled_from(["t1", "t2"]), _times),
    st.builds(asked, _few, st.sampled_from(["case 1", "case 2"]), _times),
    st.builds(explained, _few_chats, _few, st.binary(min_size=1, max_size=20), _times),
)
