"""Imports every module that registers methods, so that the table `HANDLERS` is complete."""

from botapi_sandbox.world import (
    callbacks,
    chats,
    copying,
    deleting,
    editing,
    media,
    payments,
    polls,
    profile,
    reactions,
    sending,
    stickers,
    subscriptions,
    webhook_methods,
)
from botapi_sandbox.world.requests import HANDLERS

__all__ = [
    "HANDLERS",
    "callbacks",
    "chats",
    "copying",
    "deleting",
    "editing",
    "media",
    "payments",
    "polls",
    "profile",
    "reactions",
    "sending",
    "stickers",
    "subscriptions",
    "webhook_methods",
]
