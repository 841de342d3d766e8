"""A relay with python-telegram-bot, in the style of its documentation: one application for each bot in a process.

Pairs are in memory and known from the start. A text is sent on to the partner. There is no order, no retry, no
budget and no storage: anything more would only make it slower. Up to 256 updates of a bot are handled at once, as
the framework recommends for throughput (`concurrent_updates`). One after another would be slower.
"""

import asyncio
import logging

import uvloop
from telegram import Update
from telegram.ext import Application, ApplicationBuilder, ContextTypes, MessageHandler, filters

from benchmarks.peers.crowd import Told, told
from benchmarks.stdin_commands import answer_commands, spent


async def main(given: Told) -> None:
    applications: dict[str, Application] = {}  # type: ignore[type-arg]

    async def relay(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        message = update.effective_message
        assert message is not None
        assert message.text is not None
        partner, token = given.partner[message.chat_id]
        await applications[token].bot.send_message(partner, message.text)

    for token in given.tokens:
        builder = ApplicationBuilder().token(token).base_url(f"{given.url}/bot").concurrent_updates(True)
        applications[token] = builder.build()
        applications[token].add_handler(MessageHandler(filters.TEXT, relay))
    for application in applications.values():
        await application.initialize()
        assert application.updater is not None
        await application.updater.start_polling(timeout=50)
        await application.start()
    answer_commands({"usage": spent})
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # otherwise it logs each poll that is interrupted at the end
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main(told()))
