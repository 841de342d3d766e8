"""Faults of the Bot API and of the network to it."""

import asyncio
from collections import defaultdict
from time import time
from typing import Any

from tests.faults.stage import SLOW, START_S, Case, Stage

SENDS = ("send*", "copy*")
LONG_S = 2000
HEARD_S = 0.3
"""How long after a 429 another worker may still send to the chat: its send had already begun, or it has not been told
yet. This takes tens of milliseconds on a busy machine."""


def _every(**fault: Any) -> list[dict[str, Any]]:
    return [{**fault, "method": method} for method in SENDS]


async def _inject(stage: Stage, faults: list[dict[str, Any]], for_s: float) -> None:
    await stage.sandbox.put("faults", [*faults, *SLOW])
    await asyncio.sleep(for_s)
    await stage.sandbox.put("faults", list(SLOW))
    await stage.crowd.follow()


async def floods(stage: Stage) -> None:
    """Short floods for everybody. One chat gets a 2,000 s flood limit, and nothing may be sent to it until the end."""
    stranger = await stage.sandbox.post("people", {"first_name": "Held"})
    bot = stage.crowd.people[0].bot
    held = {"kind": "429", "chat": stranger["id"], "retry_after": LONG_S, "method": "send*"}
    await stage.sandbox.put("faults", [held, *SLOW])
    await stage.sandbox.post(f"people/{stranger['id']}/chats/{bot}/start", {})
    async with asyncio.timeout(START_S):
        while not stage.crowd.journal.spoiled["429"]:
            await asyncio.sleep(0.1)
            await stage.crowd.follow()
    phases = []
    for short_s in (1, 2, 4):
        phases.append((time(), short_s))
        short = _every(kind="429", retry_after=short_s, probability=0.08)
        await _inject(stage, [held, *short], 4 if stage.quick else 60)
    await stage.sandbox.put("faults", [held, *SLOW])
    journal = await stage.sandbox.journal()
    early, floods = _early(journal, phases, stranger["id"])
    asked = [chat for chat in floods if chat == stranger["id"]]
    stage.evidence |= {
        "429s": len(floods),
        "sends by another worker after a 429, s": early,
        "sends to the chat held for 2,000 s": len(asked),
    }
    assert len(asked) == 1, "a send to the chat held for 2,000 s came too early"
    assert max(early, default=0.0) < HEARD_S, f"sends came during a flood limit: {early}"
    assert len(floods) > 5, "there were no floods"


def _early(journal: list[dict[str, Any]], phases: list[tuple[float, int]], held: int) -> tuple[list[float], list[int]]:
    """Return how many seconds after a 429 a send came too early, and the chats of all 429s."""
    until: dict[tuple[int, int], float] = defaultdict(float)
    since: dict[tuple[int, int], float] = {}
    refused: dict[tuple[int, int], Any] = {}
    early: list[float] = []
    floods: list[int] = []
    for entry in journal:
        if entry["kind"] != "request" or not entry["method"].startswith(("send", "copy")):
            continue
        chat = int(entry["params"]["chat_id"])
        if entry["at"] < until[entry["bot"], chat]:
            early.append(round(entry["at"] - since[entry["bot"], chat], 2))
            assert entry["params"] != refused[entry["bot"], chat], "a refused send was repeated too early"
        if entry.get("fault") == "429":
            short_s = max((each for each in phases if each[0] <= entry["at"]), default=(0.0, 0))[1]
            since[entry["bot"], chat] = entry["at"]
            refused[entry["bot"], chat] = entry["params"]
            until[entry["bot"], chat] = entry["at"] + (LONG_S if chat == held else short_s)
            floods.append(chat)
    return early, floods


async def errors(stage: Stage) -> None:
    """30 % of all sends fail. Half of those took effect although the answer says otherwise."""
    faults = [
        *_every(kind="500", probability=0.1),
        *_every(kind="502", probability=0.11),
        *_every(kind="500", effect=True, probability=0.07),
        *_every(kind="502", effect=True, probability=0.08),
        {"kind": "502", "method": "getUpdates", "probability": 0.3},
    ]
    await _inject(stage, faults, 10 if stage.quick else 300)
    spoiled = stage.crowd.journal.spoiled
    stage.evidence["answers spoiled"] = dict(spoiled)
    assert {"500", "502"} <= spoiled.keys(), "nothing was spoiled"


async def resets(stage: Stage) -> None:
    """Connections are cut, before or after the request took effect. This includes polls."""
    faults = [
        *_every(kind="reset_before", probability=0.1),
        *_every(kind="reset_after", probability=0.2),
        {"kind": "reset_after", "method": "getUpdates", "probability": 0.2},
    ]
    await _inject(stage, faults, 10 if stage.quick else 120)
    spoiled = stage.crowd.journal.spoiled
    stage.evidence["connections cut"] = dict(spoiled)
    assert {"reset_before", "reset_after"} <= spoiled.keys(), "nothing was cut"


async def half_open(stage: Stage) -> None:
    """A few polls and sends are never answered. Half of those sends took effect."""
    began = time()
    faults = [
        {"kind": "stall", "method": "getUpdates", "count": 2},
        *_every(kind="stall", count=2),
        *_every(kind="stall", effect=True, count=2),
    ]
    await _inject(stage, faults, 45 if stage.quick else 75)
    stalls = stage.crowd.journal.spoiled["stall"]
    async with asyncio.timeout(70):
        await stage.until_working()
    stage.evidence |= {"never answered": stalls, "s until every bot was served again": round(time() - began)}
    assert stalls >= 4, "everything was answered"


def _left(journal: list[dict[str, Any]]) -> int:
    """Count how often somebody was told that their partner left."""
    return sum(
        "partner left" in str(entry["params"].get("text", ""))
        for entry in journal
        if entry["kind"] == "request" and entry["method"] == "sendMessage" and entry.get("message_ids")
    )


async def token_flaps(stage: Stage) -> None:
    """Stray 401s to every method and every bot. Then one bot's token is refused for a while, and later at random."""
    stray_s, refused_s = (8, 15) if stage.quick else (60, 90)
    bot = stage.crowd.people[0].bot
    await _inject(stage, [{"kind": "401", "probability": 0.08}], stray_s)
    strays = stage.crowd.journal.spoiled["401"]
    await _inject(stage, [{"kind": "401", "bot": bot}], refused_s)
    began = time()
    await stage.until_working()
    served_s = time() - began
    await _inject(stage, [{"kind": "401", "bot": bot, "probability": 0.5}], stray_s)
    async with asyncio.timeout(70):
        await stage.until_working()
    stage.evidence |= {
        "stray 401s": strays,
        "401s in all": stage.crowd.journal.spoiled["401"],
        "s a token was refused": refused_s,
        "s until its bot was served again": round(served_s, 1),
        "chats ended": _left(await stage.sandbox.journal()),
    }
    assert strays > 5, "nothing was refused"
    assert not stage.evidence["chats ended"], "a temporary refusal ended a chat"


async def bot_lost(stage: Stage) -> None:
    """One bot's token dies for good while people chat. Its own people fall silent just before: what they write to a
    dead bot, nobody can fetch."""
    crowd = stage.crowd
    bot = crowd.people[0].bot
    here = [person for person in crowd.people if person.bot == bot]
    for person in here:
        person.is_silent = True
    async with asyncio.timeout(START_S):
        while crowd.journal.in_hand_of(bot):
            await asyncio.sleep(0.1)
            await crowd.follow()
    before = (await crowd.verdict(stage.faults)).partners
    await stage.sandbox.put("faults", [{"kind": "401", "bot": bot}, *SLOW])
    began = time()
    stuck = [person for person in here if person.sister is None and person.id in before]
    parted = [person for person in crowd.people if person.id in {before[each.id] for each in stuck}]
    moving = [person for person in here if person.sister is not None and person.id in before]
    async with asyncio.timeout(START_S):
        while not all(each.has_moved for each in moving):
            await asyncio.sleep(0.1)
        moved_s = time() - began
        while not all("partner left" in str(each.notices) for each in parted if each not in stuck):
            await asyncio.sleep(0.1)
    told_s = time() - began
    for person in here:
        if not person.has_moved:
            person.sister = person.sister or crowd.people[1].bot
            person.move()
            await person.start(person.sister)
        person.is_silent = False
    await asyncio.sleep(5 if stage.quick else 30)
    after = (await crowd.verdict(stage.faults)).partners
    kept = {one for one, other in before.items() if not {one, other} & {each.id for each in stuck}}
    stage.evidence |= {
        "401s": crowd.journal.spoiled["401"],
        "people on the lost bot in a chat: with a sister, without": [len(moving), len(stuck)],
        "s until all with a sister were told there": round(moved_s, 1),
        "s until the partners of the others were told": round(told_s, 1),
        "people whose chat had to go on, and did": [len(kept), sum(after.get(one) == before[one] for one in kept)],
    }
    assert crowd.journal.spoiled["401"] > 5, "nothing was refused"
    assert moving, "nobody on the lost bot was in a chat and had a sister"
    assert all(after.get(one) == before[one] for one in kept), "a chat ended although both sides could be reached"


CASES = (
    Case(
        "bot-lost",
        "a token dies for good",
        "401 for one of four bots; two of three people know another bot",
        bot_lost,
        leaves=False,
        sisters=True,
        environment={"TOKEN_REFUSED_AFTER_S": "10"},
        quiet_s=120,
    ),
    Case(
        "token-flaps",
        "401 that passes",
        "8 % of all calls; one bot for a while; one bot by turns",
        token_flaps,
        leaves=False,
        quiet_s=120,
    ),
    Case("floods", "429", "1 to 4 s here and there, 2,000 s for one chat", floods),
    Case("errors", "5xx", "36 % of sends, 42 % of these done all the same; 30 % of polls", errors),
    Case("resets", "connections reset", "30 % of sends, two thirds after the effect; 20 % of polls", resets),
    Case("half-open", "half-open connections", "polls and sends that are never answered", half_open, quiet_s=120),
)
