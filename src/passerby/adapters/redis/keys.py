"""What is where in Redis. The one place that spells a key.

Every key begins with the installation's name in braces, `{passerby}`: a hash tag, so that Redis Cluster keeps them all
on one node and a script may touch several at once. Two installations may share a server under two names.

    key                  type    content                                                       goes
    store                hash    generation: this store's name; another begins where the        never
                                 server was wiped, or may have lost its newest writes
                                 (rebirth.lua). adopted: the records have been taken in, or
                                 compared. doubt: 1 may have lost something, 2 has; mender:
                                 until when who compares. latest: only grows, by a
                                 millionth of a second or more with each attending; who has
                                 seen a later one knows that the store has gone back.
                                 facts, entries, changes, epochs, comers: the newest numbers
                                 of the journal, the outbox, the tickets, the leases, the
                                 workers. trimmed: the records hold the journal up to here,
                                 as this generation knows; carried: as any generation did.
                                 floor: readers from before begin anew. run: the server's,
                                 as last shaken hands with (handshake.lua). reborn: when somebody of an
                                 earlier generation came. heard, patience: when somebody last
                                 attended, and until when the last of all would be back
    people               hash    person -> header, newline, msgpack of Participant             idle: see below
    chats                hash    open chat -> "person,person;" and its anchors: "person bot    when it ends
                                 message;" of each; search:PERSON -> the anchor of a search
    idle_chats             zset    open chat, by the last word in it: 4 times the milliseconds,  when it ends
                                 plus 1 for a word of the first of "person,person", 2 for
                                 one of the second, 0 if nobody has spoken
    idle                 zset    idle person, by when they were last heard of                  with the person
    waiting              zset    "pool \\t person", by the number of the change                 no longer waits
    gone                 zset    the same for who no longer waits                              all but 10,000
    tickets              hash    "pool \\t person" -> version, newline, msgpack of Ticket       with waiting, gone
    pools                hash    pool -> how many wait in it                                   at none
    outbox               hash    entry -> header, newline, msgpack of Notice or Parked         when settled
                                 (see entries.lua)
    order                zset    "owner \\t number \\t entry", by its letters                   when settled
    turns                zset    "person \\t number \\t entry", by its letters                  when settled
    journal              stream  number-1 -> f: msgpack of Fact                                when trimmed
    done:BOT:BLOCK       string  a bit for each update of 4,096                                25 to 26 h after
    crashes:BOT          set     "update crash" for each worker that ended while at it         26 h after
    map:CHAT:DAY         hash    "bot message" -> msgpack of Counterpart                       24 to 48 h, chat's end
    stored:CALL          string  this commit was stored (see `store`)                          a minute
    file:NAME            hash    bot -> file id, both disguised (see adapters.botapi.files)    3 days after
    seen:PERIOD          string  a table of sightings (see domain.popularity)                  60 to 90 days after
    workers              hash    worker -> "number until ttl", newline, its report             when it leaves or is over
    leases               hash    lease -> "epoch until ttl", newline, its holder or nobody     never: few
    epochs               hash    lease -> the same epoch, for writes that stand on it          never: few
    evicted               zset    worker whose entries were inherited, by when                  30 days after
    budget:BOT           string  "tat held": when the bucket is full, and held until           then
    budget:BOT:PERSON    string  the same for a bot's chat with a person                       then
    never                none    a key that never exists (see `generation`)
    news                 channel a pool whose tickets have changed; a budget that is held (see `holds`)

A person's header is "version \\t told \\t kind \\t place \\t partner": what scripts need to know of a value, so that
they never decode one. `told` is the number of the fact by which the records hear of it; `kind` is idle, waiting
(`place` is the pool) or chatting (`place` is the chat). Somebody idle goes ten minutes after they were last heard of,
once the records hold them (`told` <= `carried`), never before. Ids of pools and chats have no control characters.

Times are Unix seconds of the processes' clocks, which may differ by minutes without harm. Only what expires by itself,
workers, leases and budgets go by the server's; theirs are in milliseconds.
"""

from passerby.domain.popularity import PERIOD_S
from passerby.kernel.ids import BotId, ChatId, UpdateRef
from passerby.ports.shared_budgets import Account

DONE_KEPT_S = 26 * 3600
DONE_RENEWED_S = 25 * 3600
"""A block's time is renewed when less than this is left: once an hour at most. Telegram keeps an update for 24 h."""

PATIENCE_MS = 6000
"""How long a worker of a new generation may be missing before anybody has said how long a worker lives after a
heartbeat."""

EVICTED_KEPT_MS = 30 * 24 * 3600 * 1000
"""Longer than any process sleeps before it comes back for what it had to send."""

DAY_S = 24 * 3600
"""A period of the message map. Two are read, so a pair is known for one to two of them."""

_SHIFT = 12
_MASK = (1 << _SHIFT) - 1


class Keys:
    def __init__(self, name: str) -> None:
        """`name`: the installation's, without braces."""
        if not name or set(name) & set("{}"):
            raise ValueError("an installation's name is not empty and has no braces")
        self._prefix = f"{{{name}}}:"
        self.name = name
        self.store = self._key("store")
        self.people = self._key("people")
        self.chats = self._key("chats")
        self.idle = self._key("idle")
        self.waiting = self._key("waiting")
        self.gone = self._key("gone")
        self.tickets = self._key("tickets")
        self.pools = self._key("pools")
        self.idle_chats = self._key("idle_chats")
        self.outbox = self._key("outbox")
        self.order = self._key("order")
        self.turns = self._key("turns")
        self.workers = self._key("workers")
        self.leases = self._key("leases")
        self.epochs = self._key("epochs")
        self.evicted = self._key("evicted")
        self.journal = self._key("journal")
        self.never = self._key("never")
        self.news = self._key("news")

    def _key(self, rest: str) -> bytes:
        return (self._prefix + rest).encode()

    def done(self, ref: UpdateRef) -> bytes:
        return self._key(f"done:{ref.bot}:{ref.update >> _SHIFT}")

    def done_in(self, bot: BotId, update: int) -> bytes:
        return self._key(f"done:{bot}:{update >> _SHIFT}")

    def crashes(self, bot: BotId) -> bytes:
        return self._key(f"crashes:{bot}")

    def map(self, chat: ChatId, day: int) -> bytes:
        return self._key(f"map:{chat}:{day}")

    def maps(self, chat: ChatId, now: float) -> tuple[bytes, bytes, bytes]:
        """All that a chat may have, written by a clock that differs by less than a day."""
        day = day_of(now)
        return self.map(chat, day - 1), self.map(chat, day), self.map(chat, day + 1)

    def stored(self, call: str) -> bytes:
        return self._key(f"stored:{call}")

    def budget(self, account: Account) -> bytes:
        return self._key(
            f"budget:{account.bot}" if account.person is None else f"budget:{account.bot}:{account.person}"
        )

    def file(self, unique: str) -> bytes:
        return self._key(f"file:{unique}")

    def sightings(self, now: float) -> tuple[bytes, bytes]:
        """This period's table, and the last one's."""
        period = int(now // PERIOD_S)
        return self._key(f"seen:{period}"), self._key(f"seen:{period - 1}")


def word_score(at: float) -> int:
    """Of a chat that was opened or adopted then, in `quiet`: nobody has spoken. A word of the first counts one more."""
    return 4 * round(at * 1000)


def bit_of(update: int) -> int:
    return update & _MASK


def day_of(now: float) -> int:
    return int(now // DAY_S)


def map_kept_s(now: float) -> int:
    """For how long what is written now may be kept: to the end of the next day."""
    return int((day_of(now) + 2) * DAY_S - now)
