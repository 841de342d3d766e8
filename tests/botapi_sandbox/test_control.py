"""The control API, as pages and tests use it."""

import asyncio
import json
from typing import Any

import pytest

from tests.botapi_sandbox.samples import PNG
from tests.botapi_sandbox.wire import Served, multipart, with_server
from tests.staged import staged


@staged(with_server)
async def test_bots_are_listed_without_tokens_and_a_new_bot_comes_with_its_token(here: Served, /) -> None:
    listed = (await here.get("/sandbox/bots")).json()
    assert listed == [{"id": 1000001, "username": "sandbox_1_bot", "first_name": "Sandbox One", "commands": []}]
    made = (await here.post("/sandbox/bots", {"first_name": "Mine", "token": "77:" + "x" * 35})).json()
    assert (made["id"], made["token"]) == (77, "77:" + "x" * 35)
    again = await here.post("/sandbox/bots", {"first_name": "Mine", "token": "77:" + "y" * 35})
    assert (again.status, again.json()["ok"]) == (400, False)
    assert (await here.post(f"/sandbox/bots/{made['id']}/revoke")).status == 200
    assert (await here.get(f"/bot{made['token']}/getMe")).status == 401


@staged(with_server)
async def test_a_new_person_can_start_write_and_read(here: Served, /) -> None:
    person = (await here.post("/sandbox/people", {"first_name": "Cy", "language_code": "de"})).json()
    assert (person["first_name"], person["username"], person["language_code"]) == ("Cy", None, "de")
    assert person in (await here.get("/sandbox/people")).json()
    chat = f"/sandbox/people/{person['id']}/chats/{here.made.bot.id}"
    empty = {"started": False, "blocked": False, "keyboard": None, "messages": []}
    assert (await here.get(chat)).json() == empty
    started = (await here.post(f"{chat}/start", {"parameter": "x"})).json()
    assert (started["text"], started["outgoing"]) == ("/start x", True)
    sent = (await here.post(f"{chat}/send", {"text": "hi", "reply_to_message_id": started["message_id"]})).json()
    assert sent["reply_to_message"]["text"] == "/start x"
    edited = (await here.post(f"{chat}/edit", {"message_id": sent["message_id"], "text": "ho"})).json()
    assert edited["text"] == "ho"
    await here.post(f"{chat}/delete", {"message_id": started["message_id"]})
    await here.post(f"{chat}/block")
    view = (await here.get(chat)).json()
    assert ([message["text"] for message in view["messages"]], view["blocked"]) == (["ho"], True)
    await here.post(f"{chat}/unblock")
    assert (await here.get(chat)).json()["blocked"] is False


@staged(with_server)
async def test_an_uploaded_file_can_be_downloaded(here: Served, /) -> None:
    fields = {
        "kind": "photo",
        "caption": "c",
        "has_spoiler": "1",
        "caption_entities": '[{"type":"bold","offset":0,"length":1}]',
    }
    body, kind = multipart(fields, {"file": ("a.png", PNG)})
    sent = (await here.raw(here.chat("upload"), body, kind)).json()
    assert (sent["caption"], sent["caption_entities"][0]["type"], sent["has_media_spoiler"]) == ("c", "bold", True)
    fetched = await here.get(f"/sandbox/files/{sent['photo'][-1]['file_id']}")
    assert fetched.body == PNG
    assert (await here.get("/sandbox/files/none")).status == 404
    body, kind = multipart({"kind": "nonsense"}, {"file": ("a", b"x")})
    assert (await here.raw(here.chat("upload"), body, kind)).status == 400


@staged(with_server)
async def test_any_content_can_be_sent_and_forwarded(here: Served, /) -> None:
    dice = (await here.post(here.chat("send"), {"message": {"dice": {"emoji": "🎯"}}})).json()
    assert 1 <= dice["dice"]["value"] <= 6
    other = here.made.world.add_bot()
    there = await here.post(here.chat("forward"), {"message_id": dice["message_id"], "to_bot": other.id})
    assert there.json()["forward_origin"]["sender_user"]["id"] == here.made.ann
    stickers = (await here.get(f"/sandbox/stickers/{here.made.bot.id}")).json()
    sent = (await here.post(here.chat("send"), {"message": {"sticker": stickers[0]}})).json()
    assert sent["sticker"]["file_id"] == stickers[0]["file_id"]


@staged(with_server)
async def test_people_can_press_react_and_vote(here: Served, /) -> None:
    made = here.made
    keyboard = {"inline_keyboard": [[{"text": "x", "callback_data": "d"}]]}
    sent = made.ask("sendMessage", chat_id=made.ann, text="x", reply_markup=keyboard)["message_id"]
    poll = made.ask("sendPoll", chat_id=made.ann, question="Q", options=[{"text": "a"}])["message_id"]
    pressed = (await here.post(here.chat("press"), {"message_id": sent, "row": 0, "column": 0})).json()
    await here.post(here.chat("react"), {"message_id": sent, "emoji": "👍"})
    await here.post(here.chat("vote"), {"message_id": poll, "options": [0]})
    kinds = [next(key for key in update if key != "update_id") for update in made.updates()]
    assert kinds == ["callback_query", "message_reaction", "poll"]
    assert pressed["callback_query_id"].isdigit()
    shown = (await here.get(here.chat())).json()["messages"]
    assert next(m for m in shown if m["message_id"] == sent)["reactions"] == {"mine": "👍", "bot": None}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"ok": True}, {"status": "paid"}),
        ({"ok": False, "error_message": "sold out"}, {"status": "refused", "error": "sold out"}),
        (None, {"status": "timeout", "error": "BOT_PRECHECKOUT_TIMEOUT"}),
    ],
)
@staged(with_server)
async def test_a_payment_request_is_answered_when_the_payment_ends(
    here: Served, /, answer: dict[str, Any] | None, outcome: dict[str, str]
) -> None:
    made = here.made
    invoice = made.ask(
        "sendInvoice", chat_id=made.ann, title="t", description="d", payload="p", currency="XTR",
        prices=[{"label": "l", "amount": 1}],
    )  # fmt: skip
    paying = asyncio.ensure_future(here.post(here.chat("pay"), {"message_id": invoice["message_id"]}))
    while not (found := made.updates()):
        await asyncio.sleep(0.005)
    if answer is None:
        made.clock.pass_by(11)
    else:
        made.ask("answerPreCheckoutQuery", pre_checkout_query_id=found[0]["pre_checkout_query"]["id"], **answer)
    assert (await paying).json() == outcome


@staged(with_server)
async def test_the_link_of_a_subscription_is_paid_like_an_invoice(here: Served, /) -> None:
    made = here.made
    link = made.ask(
        "createInvoiceLink", title="t", description="d", payload="p", currency="XTR",
        prices=[{"label": "l", "amount": 1}], subscription_period=2592000,
    )  # fmt: skip
    paying = asyncio.ensure_future(here.post(here.chat("pay"), {"link": link}))
    while not (found := made.updates()):
        await asyncio.sleep(0.005)
    made.ask("answerPreCheckoutQuery", pre_checkout_query_id=found[0]["pre_checkout_query"]["id"], ok=True)
    assert (await paying).json() == {"status": "paid"}


@staged(with_server)
async def test_stars_are_seen_and_changed_and_a_subscription_is_renewed_fails_and_is_refunded(here: Served, /) -> None:
    made, where = here.made, f"/sandbox/people/{here.made.ann}/stars"
    link = made.ask(
        "createInvoiceLink", title="Monthly", description="d", payload="p", currency="XTR",
        prices=[{"label": "l", "amount": 200}], subscription_period=2592000,
    )  # fmt: skip
    assert (await here.post(where, {"stars": 500})).json() == {"stars": 500}
    paying = asyncio.ensure_future(here.post(here.chat("pay"), {"link": link}))
    while not (found := made.updates()):
        await asyncio.sleep(0.005)
    made.ask("answerPreCheckoutQuery", pre_checkout_query_id=found[0]["pre_checkout_query"]["id"], ok=True)
    await paying

    shown = (await here.get(where)).json()
    assert shown["stars"] == 300
    (subscription,), (payment,) = shown["subscriptions"], shown["payments"]
    assert (subscription["title"], subscription["stars"], subscription["state"]) == ("Monthly", 200, "active")
    named = {"subscription": subscription["subscription"]}
    assert (await here.post(f"{where}/cancel", named)).json() == {"done": True}
    assert (await here.post(f"{where}/cancel", named)).json() == {"done": False}
    assert (await here.get(where)).json()["subscriptions"][0]["state"] == "cancelled"
    assert (await here.post(f"{where}/resume", named)).json() == {"done": True}
    assert (await here.post(f"{where}/renew", named)).json() == {"done": True}
    assert (await here.post(f"{where}/renew", named)).json() == {"done": False}, "a hundred Stars are too few"
    shown = (await here.get(where)).json()
    assert (shown["stars"], shown["subscriptions"][0]["state"]) == (100, "failed")

    assert (await here.post(f"{where}/refund", {"charge": payment["charge"]})).json() == {}
    assert (await here.post(f"{where}/refund", {"charge": payment["charge"]})).status == 404
    shown = (await here.get(where)).json()
    assert (shown["stars"], [each["refunded"] for each in shown["payments"]]) == (300, [True, False])
    states = [each["subscription"]["state"] for each in made.updates() if "subscription" in each]
    assert states == ["canceled", "active", "failed"]

    named["subscription"] = "another"
    assert (await here.post(f"{where}/renew", named)).status == 404
    assert (await here.post(where, {"stars": -1})).status == 400


async def events(here: Served, path: str, count: int) -> list[dict[str, Any]]:
    """The first `count` events of a stream. The test continues when the stream is open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", here.sandbox.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await reader.readuntil(b": open")
    streams.append((reader, writer))
    found: list[dict[str, Any]] = []
    while len(found) < count:
        line = await reader.readline()
        if line.startswith(b"data: "):
            found.append(json.loads(line[6:]))
    writer.close()
    await writer.wait_closed()
    return found


streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []


@staged(with_server)
async def test_one_stream_can_show_several_phones(here: Served, /) -> None:
    made = here.made
    streams.clear()
    several = asyncio.ensure_future(events(here, f"/sandbox/events?people={made.ann},{made.bob}", 7))
    single = asyncio.ensure_future(events(here, f"/sandbox/people/{made.bob}/events", 1))
    while len(streams) < 2:
        await asyncio.sleep(0.005)
    sent = made.ask("sendMessage", chat_id=made.ann, text="a")["message_id"]
    made.ask("editMessageText", chat_id=made.ann, message_id=sent, text="b")
    made.ask("setMessageReaction", chat_id=made.ann, message_id=sent, reaction=[{"type": "emoji", "emoji": "👍"}])
    made.ask("sendChatAction", chat_id=made.ann, action="typing")
    made.ask("deleteMessage", chat_id=made.ann, message_id=sent)
    made.ask("sendMessage", chat_id=made.bob, text="c", reply_markup={"keyboard": [[{"text": "k"}]]})
    seen = await several
    assert [(event["person"], event["type"]) for event in seen] == [
        (made.ann, "message"), (made.ann, "edited"), (made.ann, "reactions"), (made.ann, "chat_action"),
        (made.ann, "deleted"), (made.bob, "message"), (made.bob, "keyboard"),
    ]  # fmt: skip
    assert seen[0]["message"]["text"] == "a"
    assert seen[0]["message"]["outgoing"] is False
    assert (await single)[0] == seen[5]


@staged(with_server)
async def test_one_request_can_do_many_actions_in_order(here: Served, /) -> None:
    made = here.made
    bot = made.bot.id
    people = (await here.post("/sandbox/people", [{"first_name": "Cy"}, {"first_name": "Di"}])).json()
    assert [person["first_name"] for person in people] == ["Cy", "Di"]
    cy, di = (person["id"] for person in people)
    acts = [
        {"person": cy, "bot": bot, "act": "start"},
        {"person": cy, "bot": bot, "act": "send", "text": "one"},
        {"person": di, "bot": bot, "act": "send", "message": {"voice": {"duration": 3}, "caption": "two"}},
        {"person": cy, "bot": bot, "act": "block"},
        {"person": cy, "bot": bot, "act": "send", "text": "three"},
        {"person": cy, "bot": bot, "act": "pay"},
        {"person": 1, "bot": bot, "act": "start"},
        {"person": "one"},
    ]
    became = (await here.post("/sandbox/acts", acts)).json()
    assert [sorted(each) for each in became] == [["message_id"]] * 3 + [[]] + [["error"]] * 4
    assert became[0]["message_id"] < became[1]["message_id"] < became[2]["message_id"]
    told = [update["message"] for update in made.updates() if "message" in update]
    assert [message.get("text") or message["caption"] for message in told] == ["/start", "one", "two"]
    assert (await here.post("/sandbox/acts", {})).status == 400


@staged(with_server)
async def test_a_stream_of_everybody_includes_people_added_later(here: Served, /) -> None:
    made = here.made
    streams.clear()
    everybody = asyncio.ensure_future(events(here, "/sandbox/events?people=all", 2))
    while not streams:
        await asyncio.sleep(0.005)
    later = (await here.post("/sandbox/people", {})).json()["id"]
    made.ask("sendMessage", chat_id=made.ann, text="a")
    made.clock.pass_by(2)
    await here.post(f"/sandbox/people/{later}/chats/{made.bot.id}/start")
    first, second = await everybody
    assert [first["person"], second["person"]] == [made.ann, later]
    assert second["at"] - first["at"] == 2


@staged(with_server)
async def test_a_brief_journal_omits_parameters(here: Served, /) -> None:
    here.made.ask("sendMessage", chat_id=here.made.ann, text="a")
    whole = (await here.get("/sandbox/journal?after=0")).json()
    brief = (await here.get("/sandbox/journal?after=0&brief=1")).json()
    assert [{k: v for k, v in each.items() if k != "params"} for each in whole["entries"]] == brief["entries"]
    assert whole["entries"] != brief["entries"]


@staged(with_server)
async def test_faults_and_settings_can_be_changed_and_the_journal_read(here: Served, /) -> None:
    put = await here.post("/sandbox/faults", [{"kind": "429", "count": 1, "retry_after": 3}], verb="PUT")
    assert put.json()[0]["retry_after"] == 3
    assert (await here.bot("getMe")).status == 429
    assert (await here.get("/sandbox/faults")).json()[0]["count"] == 0
    assert (await here.post("/sandbox/settings", {"reactions": False})).json()["reactions"] is False
    assert (await here.get("/sandbox/settings")).json()["reactions"] is False
    journal = (await here.get("/sandbox/journal")).json()
    last = journal["entries"][-1]
    assert (last["n"], last["method"], last["fault"]) == (journal["last"], "getMe", "429")
    assert (await here.get(f"/sandbox/journal?after={journal['last']}")).json()["entries"] == []
    body, kind = multipart({"chat_id": str(here.made.ann)}, {"document": ("a.txt", b"abc")})
    await here.raw(f"/bot{here.made.bot.token}/sendDocument", body, kind)
    (entry,) = (await here.get(f"/sandbox/journal?after={journal['last']}")).json()["entries"]
    assert entry["params"]["document"] == {"upload": "a.txt", "bytes": 3, "sha256": "ba7816bf8f01cfea"}


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("GET", "/sandbox/nothing", None, 404),
        ("GET", "/sandbox/settings/", None, 404),
        ("PUT", "/sandbox/people", {}, 405),
        ("POST", "/sandbox/people", {"age": 3}, 400),
        ("POST", "/sandbox/people", {"first_name": 3}, 400),
        ("GET", "/sandbox/people/1/chats/1000001", None, 404),
        ("GET", "/sandbox/people/5000001/chats/1", None, 404),
        ("POST", "/sandbox/people/5000001/chats/1000001/send", {}, 400),
        ("POST", "/sandbox/people/5000001/chats/1000001/press", {"message_id": 1}, 400),
        ("POST", "/sandbox/people/5000001/chats/1000001/pay", {"message_id": 1}, 400),
        ("POST", "/sandbox/people/5000001/chats/1000001/pay", {"link": "https://t.me/$none"}, 400),
        ("POST", "/sandbox/people/5000001/chats/1000001/react", {"message_id": 1, "emoji": "🐌"}, 400),
        ("GET", "/sandbox/events?people=x", None, 400),
        ("GET", "/sandbox/events?people=1", None, 404),
        ("GET", "/sandbox/journal?after=x", None, 400),
        ("PUT", "/sandbox/faults", [{"kind": "none"}], 400),
        ("PUT", "/sandbox/faults", b"[", 400),
        ("POST", "/sandbox/people", b"{", 400),
        ("POST", "/sandbox/settings", {"unknown": 1}, 400),
    ],
)
@staged(with_server)
async def test_errors_are_one_readable_sentence(here: Served, /, verb: str, path: str, body: Any, status: int) -> None:
    reply = await (here.get(path) if verb == "GET" else here.post(path, body, verb))
    told = reply.json()
    assert (reply.status, told["ok"]) == (status, False)
    assert told["error"]


@staged(with_server)
async def test_an_album_arrives_in_one_burst_with_its_files(here: Served, /) -> None:
    items = json.dumps([{"kind": "photo", "caption": "first"}, {"kind": "document", "file_name": "b.txt"}])
    files = {"file0": ("a.png", PNG), "file1": ("x", b"text")}
    body, kind = multipart({"items": items}, files)
    sent = (await here.raw(here.chat("album"), body, kind)).json()
    assert (sent[0]["caption"], sent[1]["document"]["file_name"]) == ("first", "b.txt")
    assert sent[0]["media_group_id"] == sent[1]["media_group_id"]
    for wrong in ('[{"kind": "photo"}]', "{"):
        body, kind = multipart({"items": wrong}, files)
        assert (await here.raw(here.chat("album"), body, kind)).status == 400


@staged(with_server)
async def test_a_person_can_change_their_name(here: Served, /) -> None:
    renamed = await here.post(f"/sandbox/people/{here.made.ann}", {"first_name": "Anna"}, "PATCH")
    assert renamed.json()["first_name"] == "Anna"
    assert here.made.write()["from"]["first_name"] == "Anna"
