"""The measurements: lines from phones, quantiles from moments, figures from /metrics."""

import pytest

from passerby.kernel.text import Arg, text
from passerby.loadtest.stores import told_of_redis
from passerby.loadtest.watch import metrics_in
from simulated_people import phrases
from simulated_people.book import Arrival, Book, Wait, quantile
from simulated_people.phrases import AGE, CONSENT, GENDER, READY, Asks, Said
from simulated_people.seen import Confirmations, Event, Message, Phone, lines_of, shown
from simulated_people.verdict import Line
from tests.wording import shown as worded

BOT, ANN = 7, 1
FIRST = (CONSENT, AGE, GENDER, READY)
PLACES: dict[str, Arg] = {
    "minimum": 18,
    "who": "Sunny",
    "question": "Tea?",
    "interests": "tea",
    "chance": "Few.",
    "wait": "Long.",
    "link": "https://t.me/a_bot",
}


def event(id_: int, text: str, *, mine: bool = False) -> Event:
    return Event("message", ANN, BOT, float(id_), Message(id_, mine, text))


def test_every_figure_about_redis_has_a_unit_and_rates_make_sense() -> None:
    info = {"total_commands_processed": 11_000, "used_memory_peak": 2_338_324, "used_memory_peak_human": "2.23M"}
    assert told_of_redis(1_000, info, 5.0) == "2,000 commands/s on average, 2.2 MiB of memory at its peak"
    assert told_of_redis(1_000, info, 0.5).startswith("20,000 commands/s"), "a short run is not stretched to a second"
    for before, seconds in ((12_000, 5.0), (1_000, 0.0)):
        assert told_of_redis(before, info, seconds).startswith("started again, "), "no negative and no endless rate"


def test_quantiles_of_few_and_of_many() -> None:
    assert quantile([], 0.5) is None
    assert quantile([3.0], 0.999) == 3.0
    hundred = [float(number) for number in range(1, 101)]
    assert [quantile(hundred, share) for share in (0.0, 0.5, 0.9, 0.99, 0.999, 1.0)] == [1, 50, 90, 99, 100, 100]


def test_latency_counts_from_the_moment_a_message_was_due() -> None:
    book = Book(since=100.0)
    book.wrote("1.1", due=101.0)
    book.taken("1.1", at=104.0, heard=104.1)
    book.arrived("1.1", at=104.5, heard=104.7)
    (arrival,) = book.arrivals
    assert (arrival.at, round(arrival.took_s, 3), round(arrival.within_s or 0, 3)) == (101.0, 3.7, 0.5)
    assert round(book.late_s[0], 3) == 3.1
    assert book.under_way == 0


def test_messages_due_before_the_measurement_count_as_sent_but_are_not_measured() -> None:
    book = Book(since=100.0)
    book.wrote("1.1", due=99.0)
    book.arrived("1.1", at=101.0, heard=101.0)
    book.searched(99.0, 101.0, found=True)
    assert (book.arrivals, book.waits) == ([], [])
    assert book.counts == {"sent": 1, "delivered": 1, "found": 1}


def test_a_second_arrival_is_counted_but_not_measured() -> None:
    book = Book(since=0.0)
    book.wrote("1.1", due=1.0)
    for heard in (2.0, 3.0):
        book.arrived("1.1", at=heard, heard=heard)
    assert book.counts["again"] == 1
    assert book.arrivals == [Arrival(1.0, 1.0, None)]


def test_a_search_that_was_given_up_counts_as_a_wait() -> None:
    book = Book(since=0.0)
    book.searched(1.0, 31.0, found=False)
    assert book.waits == [Wait(1.0, 30.0, False)]


def test_a_phone_becomes_lines_that_the_judge_reads() -> None:
    phone, confirmations = Phone(BOT), Confirmations()
    told = (event(2, worded("search.found")), event(3, "[1.1] hi", mine=True), event(4, "[2.1] ho"))
    for each in (*told, event(5, "/next", mine=True)):
        assert each.message is not None
        phone.add(shown(each, each.message))
    phone.leave_for_good(5.5)
    confirmations.queued(BOT, 50, 3, 3.0)
    confirmations.queued(BOT, 51, 5, 5.0)
    confirmations.confirmed(BOT, [50])
    lines = lines_of({ANN: phone}, confirmations)
    assert lines[ANN] == [
        Line(2, 2.0, mine=False, notice=Said.FOUND),
        Line(3, 3.0, mine=True, mark="1.1"),
        Line(4, 4.0, mine=False, mark="2.1"),
        Line(5, 5.0, mine=True, confirmed=False, asks=Asks.NEXT),
        Line(5, 5.5, mine=False, gone=True),
    ]


def test_wanted_metrics_are_summed_over_labels_and_others_are_ignored() -> None:
    text = """\
# HELP passerby_flood_waits_total 429s, by what was held after it.
passerby_flood_waits_total{bot="1",kind="chat"} 2.0
passerby_flood_waits_total{bot="2",kind="bot"} 3.0
passerby_courier_pending 4.0
passerby_records_connections{kind="open"} 20.0
passerby_records_connections{kind="idle"} 19.0
passerby_unheard_of 9.0
process_cpu_seconds_total 1.5
python_info 1.0
"""
    gauges, counts = metrics_in(text)
    assert counts == {"429s heeded": 5.0}
    assert gauges == {
        "to deliver": 4.0,
        "connections to the database": 20.0,
        "idle of these": 19.0,
        "process_cpu_seconds_total": 1.5,
    }


def test_all_metric_names_that_are_read_exist_in_the_product() -> None:
    from passerby.loadtest.watch import COUNTS, GAUGES
    from passerby.telemetry import metrics

    page = metrics.exposition().decode()
    for name in (*(name.partition("{")[0] for name in GAUGES), *COUNTS):
        assert f"# HELP {name}" in page or f"# HELP {name.removesuffix('_count').removesuffix('_sum')}" in page, name


def test_messages_that_reached_somebody_else_are_undecided() -> None:
    phone, confirmations = Phone(BOT), Confirmations()
    mine = event(3, "[1.1] hi", mine=True)
    assert mine.message is not None
    phone.add(shown(mine, mine.message))
    confirmations.queued(BOT, 50, 3, 3.0)
    confirmations.confirmed(BOT, [50])
    assert lines_of({ANN: phone}, confirmations)[ANN][0].confirmed is True
    assert lines_of({ANN: phone}, confirmations, {"1.1"})[ANN][0].confirmed is False


def test_all_notices_that_people_wait_for_exist_in_the_product() -> None:
    for key in (*phrases.MEANS, *phrases.BY_ITSELF, *FIRST):
        assert phrases.notice(worded(key, "en", **PLACES)) is not None, key


@pytest.mark.parametrize("key", sorted(phrases.MEANS))
def test_a_notice_tells_where_its_reader_stands(key: str) -> None:
    assert phrases.said(worded(key, "en", **PLACES)) is phrases.MEANS[key]


@pytest.mark.parametrize(
    ("shown", "answered"),
    [
        (worded("pace.over", n=7), 7),
        (worded("chat.failed_many", n=12), 12),
        (worded("search.delayed", chance=text("search.chance_few"), wait=text("search.wait_seconds", n=20)), 0),
        (worded("search.already"), 1),
        (worded("chat.partner_left"), 0),
        ("something else", 1),
    ],
)
def test_a_notice_answers_as_many_messages_as_it_says(shown: str, answered: int) -> None:
    assert phrases.answers(shown) == answered
