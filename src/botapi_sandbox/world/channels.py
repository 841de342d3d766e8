"""Channels: people join and leave them, and their admins among the bots hear of it (`chat_member`).

Real channels have posts, too. The sandbox has only what a bot needs that asks who is a member.
"""

from __future__ import annotations

from botapi_sandbox.world.answers import Json, bad_request
from botapi_sandbox.world.backend import Backend
from botapi_sandbox.world.requests import Request
from botapi_sandbox.world.state import Channel

FIRST_CHANNEL_ID = -1_001_000_000_001
"""Channels have negative numbers that begin with -100 (source: Bot API, Chat)."""


class Channels:
    """Each world has one instance, `world.channels`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def add(self, title: str, username: str | None = None, admins: tuple[int, ...] = ()) -> Channel:
        """A new channel with these bots as admins."""
        channels = self._backend.state.channels
        number = FIRST_CHANNEL_ID - len(channels)
        channels[number] = Channel(id=number, title=title, username=username, admins=list(admins))
        self._backend.changes += 1
        return channels[number]

    def join(self, person_id: int, channel_id: int) -> None:
        channel = self._backend.state.channels[channel_id]
        if person_id not in channel.members:
            channel.members.append(person_id)
            self._tell(channel, person_id, "left", "member")

    def leave(self, person_id: int, channel_id: int) -> None:
        channel = self._backend.state.channels[channel_id]
        if person_id in channel.members:
            channel.members.remove(person_id)
            self._tell(channel, person_id, "member", "left")

    def _tell(self, channel: Channel, person_id: int, before: str, after: str) -> None:
        user = self._backend.state.people[person_id].user()
        update: Json = {
            "chat": channel.chat(),
            "from": user,
            "date": int(self._backend.now()),
            "old_chat_member": {"status": before, "user": user},
            "new_chat_member": {"status": after, "user": user},
        }
        self._backend.changes += 1
        for bot_id in channel.admins:
            bot = self._backend.state.bots[bot_id]
            update_queue = f"member:{channel.id}"
            self._backend.queue_update(bot, "chat_member", update, update_queue=update_queue, person=person_id)


def channel_in(request: Request) -> Channel | None:
    """The channel that `chat_id` names by its number or @username."""
    wanted = str(request.params["chat_id"])
    for channel in request.backend.state.channels.values():
        if wanted == str(channel.id) or (channel.username and wanted.lower() == f"@{channel.username}".lower()):
            return channel
    return None


def member_of(request: Request, channel: Channel) -> Json:
    """The `ChatMember`. Raises: Refusal, if the bot is no admin, or nobody has this id."""
    if request.bot.id not in channel.admins:
        raise bad_request("member list is inaccessible")
    user_id = request.params["user_id"]
    if user_id not in request.backend.state.people:
        raise bad_request("PARTICIPANT_ID_INVALID")
    status = "member" if user_id in channel.members else "left"
    return {"status": status, "user": request.backend.state.people[user_id].user()}
