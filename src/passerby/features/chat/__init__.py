"""The abilities of two people in a chat: talk, move on, leave."""

from passerby.dialogue.keyboards import HELLO, NEXT, STOP
from passerby.features.chat.follow import edited, reacted, take_back
from passerby.features.chat.hello import hello
from passerby.features.chat.leave import move_on, stop
from passerby.features.chat.outcomes import bot_lost, reachable, undelivered, unreachable
from passerby.features.chat.relay import confirm, decline, for_partner, relay
from passerby.features.chat.unknown import answer_to_unknown
from passerby.kernel.event import BotBlocked, BotLost, BotUnblocked, DeliveryFailed, MessageEdited, ReactionChanged
from passerby.kernel.feature import Feature, MenuCommand
from passerby.kernel.participant import Chatting

feature = Feature(
    "chat",
    commands={"next": move_on, "skip": move_on, "stop": stop, "end": stop, "delete": take_back},
    menu=(
        MenuCommand("next", "commands.next", 20),
        MenuCommand("stop", "commands.stop", 30),
        MenuCommand("delete", "commands.delete", 60),
    ),
    words={NEXT: move_on, STOP: stop, HELLO: hello},
    sponsored=(move_on,),
    presses={"show": confirm, "hide": decline, "for_partner": for_partner},
    unknown=answer_to_unknown,
    messages={Chatting: relay},
    events={
        MessageEdited: edited,
        ReactionChanged: reacted,
        DeliveryFailed: undelivered,
        BotBlocked: unreachable,
        BotLost: bot_lost,
        BotUnblocked: reachable,
    },
)
