"""Faults on purpose: what goes wrong, for which requests, how often. Random choices come from the world's generator.

`PUT /sandbox/faults` takes a list and replaces the previous one. `GET` shows the list, with what is left of each
`count`. The first fault that matches a request acts. A fault is

    {"kind": "429", "bot": 1000001, "method": "sendMessage", "chat": 5001, "probability": 0.1, "count": 3, "skip": 0,
     "retry_after": 7, "delay_s": 2, "effect": false}

Only `kind` is required. `bot`, `method` (any case; "send*" for a prefix) and `chat` restrict it. `count` is how often
it acts in all, and `skip` is how many matching requests pass first. `method` "download" means the download of a file.
Kinds:

- `429`: refused with `retry_after` seconds (body and header).
- `400`: refused with `description`. With `having`, only requests whose parameters contain this text.
- `401`: Unauthorized, as if the token was revoked.
- `500`: Telegram's own error as JSON.
- `502`: the front proxy's error as HTML.
- `slow`: done, and answered after `delay_s`.
- `stall`: never answered.
- `reset_before`, `reset_after`: the connection is cut before or after the request is carried out.

`effect` (for 500, 502, stall): the request *was* carried out although the answer says otherwise. Without `effect`,
these faults act before anything is done.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from botapi_sandbox.world.answers import Answer, Refusal, bad_gateway, bad_request, refused

FaultKind = Literal["400", "429", "401", "500", "502", "slow", "stall", "reset_before", "reset_after"]


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """See the module's docstring."""

    kind: FaultKind
    bot: int | None = None
    method: str | None = None
    chat: int | None = None
    probability: float = 1.0
    count: int | None = None
    skip: int = 0
    retry_after: int = 5
    delay_s: float = 1.0
    effect: bool = False
    description: str = "never heard of it"
    having: str | None = None

    def happens_after(self) -> bool:
        """True if the request is carried out before the fault acts."""
        return self.kind in ("slow", "reset_after") or (self.effect and self.kind in ("500", "502", "stall"))

    def fits(self, bot_id: int, method: str, chat_id: object) -> bool:
        if self.bot is not None and self.bot != bot_id:
            return False
        if self.chat is not None and str(self.chat) != str(chat_id):
            return False
        if self.method is None:
            return True
        wanted = self.method.lower()
        return method.startswith(wanted[:-1]) if wanted.endswith("*") else method == wanted


def choose(
    faults: list[Fault],
    rng: random.Random,
    bot_id: int,
    method: str,
    chat_id: object,
    params: Mapping[str, object] = MappingProxyType({}),
) -> Fault | None:
    """The fault that acts on this request (`method` in lower case), or None. Counts the request."""
    told = ""
    for fault in faults:
        if fault.count == 0 or not fault.fits(bot_id, method, chat_id):
            continue
        if fault.having is not None:
            told = told or "".join(f"{name}={value}" for name, value in params.items())
            if fault.having not in told:
                continue
        if fault.skip > 0:
            fault.skip -= 1
            continue
        if fault.probability < 1.0 and rng.random() >= fault.probability:
            continue
        if fault.count is not None:
            fault.count -= 1
        return fault
    return None


def apply(fault: Fault, answer: Answer | None) -> Answer:
    """The answer that `fault` leads to. `answer` is the real one if the request was carried out."""
    match fault.kind:
        case "429":
            seconds = fault.retry_after
            return refused(Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds))
        case "400":
            return refused(bad_request(fault.description))
        case "401":
            return refused(Refusal(401, "Unauthorized"))
        case "500":
            return refused(Refusal(500, "Internal Server Error: restart"))
        case "502":
            return bad_gateway()
        case "slow" if answer is not None:
            return Answer(answer.status, answer.body, answer.headers, None, fault.delay_s)
        case "reset_before" | "reset_after" | "stall":
            status = answer.status if answer is not None else 0
            return Answer(status, answer.body if answer is not None else b"", fault=fault.kind, delay_s=0.0)
    raise AssertionError(fault.kind)
