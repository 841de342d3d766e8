"""The panel's page of money: staff read a question about payments, and answer it."""

from pathlib import Path
from random import Random

import msgspec
import sqlalchemy as sa

from passerby.adapters.sql.tables import charges, payment_cases, staff_orders, users
from passerby.kernel.payment_case import SealedWords, packed
from passerby.kernel.staff import Role
from passerby.runtime.delivery.sealer import Sealer
from tests.panel.stage import Stage, hidden, play
from tests.panel.test_figures import people

CODE = "ABCDEFGHJK"


def test_support_reads_and_answers_a_question_in_the_panel(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        now = stage.clock.now()
        sealer = Sealer(b"k" * 32)
        said = [(now - 7300.0, "I <paid> twice"), (now, "and again")]
        words = b"".join(packed(SealedWords(at, sealer.seal_words(each))) for at, each in said)
        bought = {each.name: each.type.python_type() for each in charges.columns} | {
            "bot_id": 1000001, "id": "charge-1", "user_id": 7, "code": "KLMNPQRSTU", "plan": "week", "stars": 75,
            "paid_at": now - 60, "gift_to": None, "gift_grant": None,
        }  # fmt: skip
        async with stage.records.engine.begin() as connection:
            await connection.execute(sa.insert(users), [people(Random(1), 1)[0] | {"id": 7}])
            await connection.execute(sa.insert(charges), [bought])
            asked = {"code": CODE, "user_id": 7, "words": words, "opened_at": now - 7300.0}
            await connection.execute(sa.insert(payment_cases), [asked])
        await stage.hire(Role.OWNER, 600)
        browser = await stage.signed_in(await stage.hire(Role.SUPPORT, 601))
        assert "2.0 h" in (await browser.get("/money")).text
        read = await browser.press("/money", "/money/case", case=CODE)
        assert read.status == 200, read.text
        assert "<p>I &lt;paid&gt; twice</p>" in read.text
        assert "UTC</p><p>and again</p>" in read.text
        assert "KLMNPQRSTU" in read.text
        assert (await browser.press("/money", "/money/case", case="ZZZZZZZZZZ")).status == 409
        form = hidden(read.text[read.text.index('action="/money/answer"') :])
        assert (await browser.post("/money/answer", form | {"words": " "})).status == 409
        done = await browser.post("/money/answer", form | {"words": "It was one payment."})
        assert done.status == 200, done.text
        assert "Nobody waits for an answer." in done.text
        assert [each for each in await stage.actions() if each.startswith("payment_case.")] == [
            "payment_case.read",
            "payment_case.answered",
        ]
        async with stage.records.engine.connect() as connection:
            (order,) = (await connection.scalars(sa.select(staff_orders.c.body))).all()
        assert msgspec.json.decode(order) == {
            "type": "answer",
            "person": 7,
            "case": CODE,
            "words": "It was one payment.",
        }
        assert (await browser.post("/money/answer", form | {"words": "Again"})).status == 409

    play(tmp_path, scene)
