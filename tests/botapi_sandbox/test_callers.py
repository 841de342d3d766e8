"""Other web pages in the same browser can neither use nor read the sandbox."""

import asyncio
import urllib.error
import urllib.request
from typing import Any

import pytest

from botapi_sandbox.addresses import host_of, is_loopback
from tests.botapi_sandbox.wire import _DIRECT, Served, with_server
from tests.staged import staged


async def ask(here: Served, path: str, headers: dict[str, str], data: bytes | None = None) -> int:
    request = urllib.request.Request(here.sandbox.url + path, data, headers)

    def send() -> int:
        try:
            with _DIRECT.open(request, timeout=120) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code

    return await asyncio.to_thread(send)


def with_headers(path: str, headers: dict[str, str], data: bytes | None = None) -> int:
    found: list[int] = []

    async def story(here: Served) -> None:
        asked = {name: value.format(here.sandbox.url) for name, value in headers.items()}
        found.append(await ask(here, path.format(here.made.bot.token), asked, data))

    with_server(story)
    return found[0]


JSON = {"Content-Type": "application/json"}
BOT = b'{"first_name": "E", "username": "evil_e_bot"}'


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Content-Type": "text/plain"},
        {"Origin": "https://evil.example", **JSON},
        {"Origin": "null", **JSON},
        {"Origin": "http://127.0.0.1:9", **JSON},
        {"Sec-Fetch-Site": "cross-site", **JSON},
        {"Sec-Fetch-Site": "same-site", **JSON},
        {"Host": "evil.example", **JSON},
        {"Host": "evil.example:8081", **JSON},
        {"Host": "localhost.evil.example", **JSON},
        {"Host": "[nonsense", **JSON},
    ],
    ids=str,
)
def test_a_foreign_page_is_refused_everywhere(headers: dict[str, str]) -> None:
    assert with_headers("/sandbox/bots", headers, BOT) == 403
    assert with_headers("/sandbox/people", headers) == 403
    assert with_headers("/bot{}/getMe", headers) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {**JSON},
        {"Origin": "{}", "Sec-Fetch-Site": "same-origin", **JSON},
        {"Sec-Fetch-Site": "none", **JSON},
        {"Host": "localhost:80", **JSON},
        {"Host": "127.0.0.1", **JSON},
        {"Host": "[::1]:8081", **JSON},
        {"Host": "192.168.1.7", **JSON},
    ],
    ids=str,
)
def test_programs_and_the_playgrounds_own_page_are_served(headers: dict[str, str]) -> None:
    assert with_headers("/sandbox/bots", headers, BOT) == 200
    assert with_headers("/bot{}/getMe", headers) == 200


def test_the_page_opens_from_a_link_but_not_under_a_foreign_host_name() -> None:
    assert with_headers("/", {"Sec-Fetch-Site": "cross-site"}) == 200
    assert with_headers("/", {"Host": "evil.example"}) == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_a_foreign_form_can_send_is_refused(kind: str) -> None:
    assert with_headers("/sandbox/bots", {"Content-Type": kind}, BOT) == 415


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("http://127.0.0.1:9/x", True),
        ("http://127.8.8.8/x", True),
        ("https://localhost/x", True),
        ("https://app.localhost/x", True),
        ("http://[::1]:9/x", True),
        ("https://chat.example.org/x", False),
        ("http://10.0.0.1/x", False),
        ("http://169.254.169.254/latest", False),
        ("http://127.0.0.1.evil.example/x", False),
        ("http://127.0.0.1@evil.example/x", False),
        ("http://[::1/x", False),
    ],
)
@staged(with_server)
async def test_a_webhook_on_another_machine_is_refused_unless_allowed(here: Served, /, url: str, taken: bool) -> None:
    answer: Any = (await here.bot("setWebhook", url=url)).json()
    assert answer["ok"] is taken
    if not taken:
        assert "--webhooks-anywhere" in answer["description"]
        here.made.world.switch({"webhooks_anywhere": True})
        assert (await here.bot("setWebhook", url=url)).json()["ok"]


def test_only_unambiguous_names_count_as_this_machine() -> None:
    assert all(map(is_loopback, ("localhost", "LOCALHOST.", "a.localhost", "127.1.2.3", "::1")))
    assert not any(map(is_loopback, (None, "", "localhost.org", "10.0.0.1", "example.org", "127.0.0.1.org")))
    assert host_of("http://[bad") == ""
