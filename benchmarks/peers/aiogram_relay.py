"""A relay with aiogram, in the style of its documentation: one dispatcher polls several bots.

Pairs are in memory and known from the start. A text is sent on to the partner. There is no order, no retry, no budget
and no storage: anything more would only make it slower.
"""

import asyncio

import uvloop
from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Message

from benchmarks.peers.crowd import Told, told
from benchmarks.stdin_commands import answer_commands, spent


async def main(given: Told) -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(given.url))
    bots = {token: Bot(token, session=session) for token in given.tokens}
    dispatcher = Dispatcher()

    @dispatcher.message(F.text)
    async def relay(message: Message) -> None:
        partner, token = given.partner[message.chat.id]
        assert message.text is not None
        await bots[token].send_message(partner, message.text)

    @dispatcher.startup()
    async def ready() -> None:
        answer_commands({"usage": spent})

    await dispatcher.start_polling(*bots.values())


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main(told()))
