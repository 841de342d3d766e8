"""Calculates the size of a fleet from measured figures and named assumptions. To try other assumptions, change them
here. `benchmarks.scale` prints the results.

Every rate is for the busiest hour, unless its name says otherwise.
"""

from dataclasses import dataclass
from math import ceil

DAYS = (15_000, 1_500_000, 15_000_000)
BASE = 15_000
"""The daily users that the figures of rates and sizes are for."""
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Assumed:
    """Measured figures and assumptions. Unless a comment names another source, the figure is from the page about
    performance, the page about records, or decision 7. Times are CPU time unless they say otherwise."""

    relays_s: float = 28.0  # for BASE users. The habits behind it are guesses; operators report up to 100
    arrivals_s: float = 0.35  # for BASE users
    present: float = 158.0  # for BASE users, searching or chatting
    busiest_share: float = 10 / 119  # of a day's people, in the busiest hour; assumed by the load test
    chats_a_person: float = 12.0  # a day; assumed by the benchmark of the records
    notices: float = 3.0  # sends to one person for a chat; a search that finds within a second says nothing before
    full: float = 0.6  # assumed: of every limit, we use this share in the busiest hour

    bot_s: float = 30.0  # messages, by Telegram's FAQ
    bots_an_account: int = 20  # assumed: BotFather's limit for one account
    cold_bots_an_hour: int = 600  # from one address, in the source of Telegram's Bot API server
    cold_bots_a_minute: int = 20  # the same
    paid_stars: float = 0.1  # for a message above 30 a second, by Telegram's FAQ
    star_usd: float = 0.013  # by Telegram's terms

    relay_us: float = 644.0  # our process over Redis, at 1,000 a second with 4 bots
    small_polls: float = 2.0  # assumed: times that, because a poll of so many bots brings one update
    search_us: float = 660.0  # a person who searches, with two sends, embedded
    person_chat: float = 2.0  # assumed: times that, for the end and the ratings, too
    pairing_us: float = 340.0  # that without the sends
    worker_mb: float = 250.0  # assumed; 128 measured over Redis

    redis_relay_us: float = 83.0  # Valkey
    redis_chat_us: float = 870.0  # Valkey, a chat from two searches to six notices, synced always
    redis_commit_us: float = 150.0  # Valkey, from the two figures of decision 7: (870 - 6 * 45) / 4
    copy_bytes: float = 12.0  # kept for 26 h after a chat: which messages were copies in it
    copy_days: float = 26 / 24
    chat_key_bytes: float = 120.0  # assumed: Redis' own part of that key
    person_bytes: float = 2_700.0  # participant and chat in the memory store; for Redis, assumed
    idle_s: float = 600.0  # until an idle person leaves the live store
    conduct_bytes: float = 200.0  # assumed: what a person did that day, kept for two days
    redis_room: float = 2.0  # assumed: times that, for the copy that a save makes
    pool_changes: float = 0.01  # assumed: the share of a day's people who change their pool

    facts_a_chat: float = 9.0  # 15 ms of CPU for 40 chats at 42 µs a fact
    fact_us: float = 42.0  # the recorder and PostgreSQL
    batch_ms: float = 17.0  # elapsed, p50, for 40 chats
    read_us: float = 37.0  # a person who comes back, 100 at a time
    cleaning: float = 2.0  # assumed: times the recorder's work, for retention, vacuum and panel
    journal: float = 1_000_000  # facts that wait at most
    past_chat_bytes: float = 79.0
    chat_bytes: float = 420.0
    people_mb: float = 10.0  # a month, for BASE users
    blocks_mb: float = 8.0
    complaints_mb: float = 7.0
    complaint_share: float = 0.01  # of chats; assumed by the benchmark of the records

    core_usd: float = 8.0  # a month; this and all below: assumed
    memory_usd: float = 3.0  # a GB and month
    disk_usd: float = 0.1  # a GB and month
    case_s: float = 30.0  # of a moderator
    moderator_usd: float = 10.0  # an hour


QUIET = Assumed()
BUSY = Assumed(relays_s=100.0)
BOTH = {"guessed": QUIET, "reported": BUSY}


@dataclass(frozen=True, slots=True)
class Fleet:
    """Return the needs of `daily` people."""

    daily: int
    given: Assumed

    @property
    def times(self) -> float:
        return self.daily / BASE

    @property
    def relays_s(self) -> float:
        return self.given.relays_s * self.times

    @property
    def relays_a_day(self) -> float:
        return self.relays_s * 3_600 / self.given.busiest_share

    @property
    def chats_a_day(self) -> float:
        """Two people share a chat."""
        return self.daily * self.given.chats_a_person / 2

    @property
    def chats_s(self) -> float:
        return self.chats_a_day * self.given.busiest_share / 3_600

    @property
    def sends_s(self) -> float:
        return self.relays_s + self.chats_s * 2 * self.given.notices

    @property
    def bots(self) -> int:
        return ceil(self.sends_s / (self.given.bot_s * self.given.full))

    @property
    def start_h(self) -> float:
        """Hours until all bots have started from one address. They start as fast as a minute allows, until the hour's
        number is used up."""
        hours, rest = divmod(self.bots, self.given.cold_bots_an_hour)
        return hours + rest / self.given.cold_bots_a_minute / 60

    @property
    def worker_cores(self) -> float:
        relays = self.relays_s * self.given.relay_us * self.given.small_polls
        return (relays + self.chats_s * 2 * self.given.search_us * self.given.person_chat) / 1e6

    @property
    def workers(self) -> int:
        """A worker uses one core."""
        return ceil(self.worker_cores / self.given.full)

    @property
    def pairing_cores(self) -> float:
        """One matcher's, if everybody is in one pool."""
        return self.chats_s * 2 * self.given.pairing_us / 1e6

    @property
    def redis_cores(self) -> float:
        return (self.relays_s * self.given.redis_relay_us + self.chats_s * self.given.redis_chat_us) / 1e6

    @property
    def primaries(self) -> int:
        return ceil(self.redis_cores / self.given.full)

    @property
    def redis_gb(self) -> dict[str, float]:
        given = self.given
        present = given.present * self.times + given.arrivals_s * self.times * given.idle_s
        parts = {
            "which messages were copies": self.relays_a_day * given.copy_bytes * given.copy_days,
            "the keys of that": self.chats_a_day * given.chat_key_bytes * given.copy_days,
            "conduct": self.daily * given.conduct_bytes * 2,
            "people and chats": present * given.person_bytes,
        }
        return {name: each / 1e9 for name, each in parts.items()}

    @property
    def redis_room_gb(self) -> float:
        return sum(self.redis_gb.values()) * self.given.redis_room

    @property
    def move_cores(self) -> float:
        """For people who change to a pool on another primary: three commits instead of one, so two more."""
        changes_s = self.daily * self.given.pool_changes * self.given.busiest_share / 3_600
        return changes_s * 2 * self.given.redis_commit_us / 1e6

    @property
    def facts_s(self) -> float:
        return self.chats_s * self.given.facts_a_chat

    @property
    def journal_full_s(self) -> float:
        """How long the database may be away."""
        return self.given.journal / self.facts_s

    @property
    def recorder_share(self) -> float:
        """Of the time of the one recorder."""
        return self.chats_s / 40 * self.given.batch_ms / 1e3

    @property
    def database_cores(self) -> float:
        facts = self.facts_s * self.given.fact_us * self.given.cleaning
        return (facts + self.given.arrivals_s * self.times * self.given.read_us) / 1e6

    @property
    def database_gb(self) -> dict[str, float]:
        """After two years."""
        given = self.given
        parts = {
            "`past_chats`, 90 days": self.chats_a_day * 90 * given.past_chat_bytes,
            "`chats`, a day": self.chats_a_day * given.chat_bytes,
            "people, two years": self.times * given.people_mb * 24e6,
            "blocks, never deleted: two years": self.times * given.blocks_mb * 24e6,
            "complaints, a year": self.times * given.complaints_mb * 12e6,
        }
        return {name: each / 1e9 for name, each in parts.items()}

    @property
    def cases_a_day(self) -> float:
        return self.chats_a_day * self.given.complaint_share

    @property
    def servers_usd(self) -> dict[str, float]:
        """A month. Redis and PostgreSQL have a replica each."""
        given = self.given
        cores = self.workers + 2 * self.primaries + 2 * ceil(self.database_cores / given.full)
        memory = self.workers * given.worker_mb / 1e3 + 2 * self.redis_room_gb + 2 * self.database_memory_gb
        return {
            "cores": cores * given.core_usd,
            "memory": memory * given.memory_usd,
            "disk": 2 * sum(self.database_gb.values()) * given.disk_usd,
        }

    @property
    def database_memory_gb(self) -> float:
        """Assumed: a tenth of the tables."""
        return sum(self.database_gb.values()) / 10

    @property
    def moderation_usd(self) -> float:
        """A month, if a person looks at every report."""
        return self.cases_a_day * 30 * self.given.case_s / 3_600 * self.given.moderator_usd

    @property
    def paid_usd(self) -> float:
        """A month, if one account's bots sent it all, and paid for messages above the free ones."""
        free_s = self.given.bots_an_account * self.given.bot_s
        above = max(0.0, 1 - free_s / self.sends_s)
        sends_a_day = self.sends_s * 3_600 / self.given.busiest_share
        return above * sends_a_day * 30 * self.given.paid_stars * self.given.star_usd
