"""The path of a message, from its person's queue to Telegram, built as a whole.

It is a circle: an event becomes deliveries, and a failed delivery becomes an event. `_handle` closes it.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from passerby.domain.fingerprint import Prints
from passerby.kernel.decision import Env
from passerby.kernel.ids import UpdateRef
from passerby.runtime.background.drains import Drains
from passerby.runtime.background.farm_sources import FarmSources
from passerby.runtime.decide.committing import Committer
from passerby.runtime.decide.conduct_notes import ConductNotes
from passerby.runtime.decide.event_handler import EventHandler
from passerby.runtime.decide.loading import FactsLoader
from passerby.runtime.decide.outcomes import DeliveryOutcomes
from passerby.runtime.decide.pairings import Pairings
from passerby.runtime.decide.parking import Parking
from passerby.runtime.decide.put_aside import HopelessWork
from passerby.runtime.decide.sending import EffectSender
from passerby.runtime.decide.sponsors import Sponsors
from passerby.runtime.decide.usernames import Usernames
from passerby.runtime.delivery.best_effort import BestEffort
from passerby.runtime.delivery.courier import Courier
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.inbound.admission import Admission
from passerby.runtime.inbound.albums import Albums
from passerby.runtime.inbound.checkouts import Checkouts
from passerby.runtime.inbound.person_queues import PersonQueues, Work
from passerby.runtime.inbound.uncertain_commits import UncertainCommits
from passerby.runtime.worker_parts import WorkerParts
from passerby.telemetry import logs


class MessagePath:
    """`finished` is called with updates that are done and stored as done."""

    def __init__(self, parts: WorkerParts, finished: Callable[[tuple[UpdateRef, ...]], None], drains: Drains) -> None:
        telegram, store, records = parts.telegram, parts.store, parts.records
        router, words, wording = parts.router, parts.words, parts.wording
        tokens, membership = parts.tokens, parts.membership
        background, flight_recorder, config = parts.background, parts.flight_recorder, parts.config
        clock, rng = parts.clock, parts.rng
        worker, shared = membership.worker, config.shared
        self._clock = clock
        self._rng = rng
        self.rules_now = config.rules_now or (lambda: config.rules)
        self.drains = drains
        self.farm_sources = FarmSources(store, clock)
        self._places = words.places
        self.uncertain = UncertainCommits(clock)
        self.faults = logs.Faults(clock.monotonic)
        sealer = self.sealer = Sealer(config.key, *config.former_keys)
        prints = Prints(config.key, *config.former_keys)
        best_effort = BestEffort(telegram, wording, tokens, membership, background)
        queues = self.person_queues = PersonQueues(self._handle, background, clock, flight_recorder)
        self.conduct_notes = ConductNotes(
            config.rules.real_chat_messages, lambda event: queues.put(Work(event, cause=event.chat))
        )
        self.albums = Albums(store, sealer, queues, background, clock, worker, self.uncertain.mark)
        outcomes = DeliveryOutcomes(store, queues, best_effort, background, prints, membership, finished, clock, rng)
        self.courier = Courier(
            telegram,
            store,
            wording,
            background,
            clock,
            rng,
            config.bot_budget,
            config.chat_budget,
            outcomes=outcomes,
            assurance=membership,
            prints=prints,
            shared=shared,
            worker=worker,
            park_after_s=config.park_after_s,
            recorder=flight_recorder,
            tokens=tokens,
            look=config.look,
        )
        outcomes.move_with(self.courier.move)
        sponsors = Sponsors(telegram, store, config.checker, lambda: self.env().rules.sponsor, clock)
        names = Usernames(telegram.identify)
        loader = FactsLoader(store, records, router, queues, clock, telegram.content_of, rng, names, sponsors)
        self.checkouts = Checkouts(loader.person, telegram, words, queues.put, self.env, background, clock, rng)
        self.admission = Admission(
            queues, self.courier, store, clock, config.quota, router.is_for_us, self.checkouts.take
        )
        self.parking = Parking(store, self.courier, sealer, self.albums, queues, membership, finished, clock, worker)
        sender = EffectSender(store, self.courier, best_effort, self.parking, membership, worker, shared=shared)
        committer = Committer(store, sealer, self.uncertain, clock, worker, sender.find_again, parts.unrecorded.stored)
        self.pairings = Pairings(committer, sender, membership)
        self._handler = EventHandler(
            router=router,
            loader=loader,
            committer=committer,
            sender=sender,
            parking=self.parking,
            hopeless=HopelessWork(store, sender, membership, finished, clock, rng, worker, shared=shared),
            person_queues=queues,
            leases=membership,
            env=self.env,
            finished=finished,
            owe=self.admission.owe,
            conduct_notes=self.conduct_notes,
            faults=self.faults,
            clock=clock,
            rng=rng,
        )
        queues.begin_with(self._handler.begin)

    def env(self) -> Env:
        watched = self.farm_sources.now
        return Env(self._clock.now(), self._rng, self.rules_now(), self._places, self.drains.now, watched)

    @property
    def is_busy(self) -> bool:
        """Whether something is waiting or under way."""
        checkouts = self.checkouts.under_way
        return bool(self.person_queues.busy or self.courier.pending or self.albums.waiting or checkouts)

    def is_in_hand(self, entry: str) -> bool:
        """Whether an entry of the outbox is taken care of here."""
        return (
            self.courier.known(entry)
            or self.person_queues.settles(entry)
            or self.albums.is_known(entry)
            or self.admission.is_known(entry)
        )

    def _handle(self, work: Work) -> Coroutine[Any, Any, None]:
        return self._handler.handle(work)
