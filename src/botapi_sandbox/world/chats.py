"""Methods about the bot itself and about chats: getMe, getChat, members, profile photos, logOut, close."""

from __future__ import annotations

from botapi_sandbox.world.answers import Json, bad_request
from botapi_sandbox.world.channels import channel_in, member_of
from botapi_sandbox.world.delivery import existing_chat
from botapi_sandbox.world.requests import Request, method


@method("getMe")
def get_me(request: Request) -> Json:
    """Return the bot."""
    return {
        **request.bot.user(),
        "can_join_groups": request.bot.joins_groups,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "supports_guest_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": request.bot.topics,
        "allows_users_to_create_topics": request.bot.topics,
        "can_manage_bots": False,
        "supports_join_request_queries": False,
    }


@method("getChat")
def get_chat(request: Request) -> Json:
    """Return a person that this bot has seen."""
    chat = existing_chat(request, request.params["chat_id"])
    person = request.backend.state.people[chat.person_id]
    full: Json = {
        **person.chat(),
        "accent_color_id": person.id % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(
            ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), True
        ),
    }
    if person.username:
        full["active_usernames"] = [person.username]
    if person.refuses_voice:
        full["has_restricted_voice_and_video_messages"] = True
    return full


@method("getChatMember")
def get_chat_member(request: Request) -> Json:
    """A channel's members, for its admins. Both sides of a private chat are members."""
    channel = channel_in(request)
    if channel is not None:
        return member_of(request, channel)
    chat = existing_chat(request, request.params["chat_id"])
    user = request.user(request.params["user_id"])
    if user is None or user["id"] not in (chat.person_id, request.bot.id):
        raise bad_request("PARTICIPANT_ID_INVALID")
    return {"status": "member", "user": user}


@method("getChatMemberCount")
def get_chat_member_count(request: Request) -> int:
    """Always two: the person and the bot."""
    existing_chat(request, request.params["chat_id"])
    return 2


@method("getUserProfilePhotos")
def get_user_profile_photos(request: Request) -> Json:
    """People in the sandbox have no photos."""
    if request.params["user_id"] not in request.bot.chats:
        raise bad_request("user not found")
    return {"total_count": 0, "photos": []}


@method("logOut", "close")
def leave(request: Request) -> bool:
    """Accept, and change nothing: there is no other server to move to."""
    return True
