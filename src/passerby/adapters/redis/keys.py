"""All keys in Redis, and what they hold. No other module spells a key.

Every key begins with the installation's name in braces, `{passerby}`. This is a hash tag: Redis Cluster keeps all keys
with the same tag on one node, so a script may use several. Two installations may share a server under two names.

    key                  type    content                                                       removed
    store                hash    generation: the name of the store; it changes if the server    never
                                 was wiped or may have lost its newest writes (rebirth.lua).
                                 key: a mark of the installation's SECRET_KEY.
                                 adopted: the records have been taken in, or compared.
                                 release: of the newest process that has used it.
                                 doubt: 1 if something may be lost, 2 if something is.
                                 mender: the worker that resolves the doubt, and until when.
                                 latest: each heartbeat raises it by a microsecond or more. A
                                 process that has seen a higher number knows that the store
                                 has gone back to an older state.
                                 facts, entries, changes, epochs, comers: the newest numbers
                                 of the journal, outbox, tickets, leases and workers (comers:
                                 of workers).
                                 trimmed: the records hold the journal up to this number, as
                                 far as this generation knows; recorded: as far as any
                                 generation knew. floor: readers of the tickets with an older number read
                                 everything again. run: the run of the server at the last
                                 handshake (handshake.lua). reborn (milliseconds): when the first worker of
                                 an earlier generation came, or later, when the store was
                                 adopted. roll: the workers that have answered the roll call
                                 of a new generation; former: those that lived before it. heard: the time of the last
                                 heartbeat. patience: until when the last worker must come back
    people               hash    person -> header, newline, msgpack of Participant             idle: see below
    chats                hash    open chat -> "person,person;" and its anchors: "person bot    when it ends
                                 message;" of each; search:PERSON -> the anchor of a search
    idle_chats           zset    open chat, scored by its last message: 4 times the            when it ends
                                 milliseconds, plus 1 if the first of "person,person" wrote
                                 it, 2 if the second did, 0 if nobody has written
    idle                 zset    idle person, scored by when they were last heard of           with the person
    waiting              zset    "pool \\t person", scored by the number of the change          when they stop waiting
    gone                 zset    the same, for people who have stopped waiting                 all but 10,000
    tickets              hash    "pool \\t person" -> version, newline, msgpack of Ticket       with waiting, gone
    pools                hash    pool -> how many wait in it                                   at none
    outbox               hash    entry -> header, newline, msgpack of Notice or Parked         when settled
                                 (see entries.lua)
    order                zset    "owner \\t number \\t entry", sorted by text                    when settled
    turns                zset    "person \\t number \\t entry", sorted by text                   when settled
    journal              stream  number-1 -> f: msgpack of Fact                                when trimmed
    done:BOT:BLOCK       string  one bit for each of 4,096 updates                             after 25 to 26 h
    crashes:BOT          set     "update crash" for each worker that ended while working on it after 26 h
    map:CHAT:DAY         list    pairs, each of one or more records (see ports.packed_pairs)   24 to 48 h, chat's end
    received:CHAT        string  the messages that were copies in a chat that is over          26 h after its end
    stored:CALL          string  this commit was stored (see `store`)                          after a minute
    file:NAME            hash    bot -> file id, both disguised (see adapters.botapi.files)    after 3 days
    seen:PERIOD          string  a table of sightings (see domain.popularity)                  after 60 to 90 days
    conduct:DAY          hash    person -> what they did that day (see domain.farms.conduct)   when the next day is over
    candidates:DAY       set     people whose conduct is worth a closer look                   the same
    workers              hash    worker -> "number until ttl", newline, its report             when it leaves or expires
    leases               hash    lease -> "epoch until ttl", newline, its holder or nobody     never: few
    epochs               hash    lease -> the same epoch, for writes with a fence              never: few
    memos                hash    name -> a note for whoever does a duty next                    never: few
    evicted              zset    worker whose entries were inherited, scored by when           after 30 days
    budget:BOT           string  "tat held": when the bucket is full, and held until           then
    budget:BOT:PERSON    string  the same, for a bot's chat with a person                      then
    restore              string  how far a restore of a backup is (see ops.restore_note)        when it is done
    before-restore:KEY   as KEY  what the store held before a restore                          when it is done
    never                none    a key that never exists (see `generation`)
    pubsub               channel a pool whose tickets have changed; a budget that is held (see `holds`)

A person's header is "version \\t told \\t kind \\t place \\t partner". It has everything that scripts need of a value,
so they never decode one. `told` is the number of the fact that tells the records of this value. `kind` is idle, waiting
(`place` is the pool) or chatting (`place` is the chat). An idle person is removed ten minutes after they were last
heard of, but only once the records hold them (`told` <= `recorded`). Ids of pools and chats have no control characters.

All times are of the server's clock (see `server_time`), so the processes' clocks may differ. They are Unix seconds; for
workers, leases, budgets and `idle_chats`, milliseconds.
"""

from passerby.domain.popularity import PERIOD_S
from passerby.kernel.ids import BotId, ChatId, UpdateRef
from passerby.ports.shared_budgets import Account

DONE_KEPT_S = 26 * 3600
DONE_RENEWED_S = 25 * 3600
"""The expiry of a block is renewed when less than this is left: once an hour at most. Telegram keeps an update for 24
h."""

PATIENCE_MS = 6000
"""How long a worker may be missing in a new generation, until a heartbeat names how long a worker may be silent."""

EVICTED_KEPT_MS = 30 * 24 * 3600 * 1000
"""This is longer than any process sleeps before it comes back for its entries."""

DAY_S = 24 * 3600
"""A period of the message map. Two periods are read, so a pair is known for one to two of them."""

_SHIFT = 12
_MASK = (1 << _SHIFT) - 1


class Keys:
    def __init__(self, name: str) -> None:
        """`name` is the installation's name, without braces."""
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
        self.memos = self._key("memos")
        self.restore = self._key("restore")
        self.never = self._key("never")
        self.pubsub = self._key("pubsub")
        self.of_people = (
            *(self.store, self.people, self.chats, self.idle, self.waiting),
            *(self.gone, self.tickets, self.pools, self.idle_chats, self.outbox),
        )
        """The first keys of the scripts that change people (adopt.lua, commit.lua), in order."""

    def _key(self, rest: str) -> bytes:
        return (self._prefix + rest).encode()

    def done(self, ref: UpdateRef) -> bytes:
        return self.done_block(ref.bot, block_of(ref.update))

    def done_block(self, bot: BotId, block: int) -> bytes:
        return self._key(f"done:{bot}:{block}")

    def crashes(self, bot: BotId) -> bytes:
        return self._key(f"crashes:{bot}")

    def map(self, chat: ChatId, day: int) -> bytes:
        return self._key(f"map:{chat}:{day}")

    def maps(self, chat: ChatId, now: float) -> tuple[bytes, bytes, bytes]:
        """Return all maps that a chat may have. The next day's: another server took over, with another clock."""
        day = day_of(now)
        return self.map(chat, day - 1), self.map(chat, day), self.map(chat, day + 1)

    def received(self, chat: ChatId) -> bytes:
        return self._key(f"received:{chat}")

    def stored(self, call: str) -> bytes:
        return self._key(f"stored:{call}")

    def budget(self, account: Account) -> bytes:
        return self._key(
            f"budget:{account.bot}" if account.person is None else f"budget:{account.bot}:{account.person}"
        )

    def file(self, unique: str) -> bytes:
        return self._key(f"file:{unique}")

    def conducts(self, day: int) -> tuple[bytes, bytes]:
        """Return a day's conducts, and its candidates."""
        return self._key(f"conduct:{day}"), self._key(f"candidates:{day}")

    def sightings(self, now: float) -> tuple[bytes, bytes]:
        """Return this period's table and the last period's."""
        period = int(now // PERIOD_S)
        return self._key(f"seen:{period}"), self._key(f"seen:{period - 1}")


def conduct_kept_s(day: int, now: float) -> int:
    """Return how long a day's conducts may be kept: until the end of the next day."""
    return max(1, int((day + 2) * DAY_S - now))


def idle_chat_score(at: float) -> int:
    """Return the score in `idle_chats` of a chat opened or adopted at `at`, without a message.

    Add 1 if the first person wrote last, 2 if the second did.
    """
    return 4 * round(at * 1000)


def block_of(update: int) -> int:
    return update >> _SHIFT


def bit_of(update: int) -> int:
    return update & _MASK


def day_of(now: float) -> int:
    return int(now // DAY_S)


def map_kept_s(now: float) -> int:
    """Return how long a map entry written now may be kept: until the end of the next day."""
    return int((day_of(now) + 2) * DAY_S - now)
