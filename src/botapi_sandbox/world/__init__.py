"""The core of the sandbox: people, bots, chats, queues, files and rules, with no sockets, threads, tasks or clocks
in it.

Start reading at `world.world.World`: it says how the core is driven. Each other module holds one idea.
"""

from botapi_sandbox.world.answers import Answer, Refusal, Upload, Waiting
from botapi_sandbox.world.switches import Switches
from botapi_sandbox.world.world import World

__all__ = ["Answer", "Refusal", "Switches", "Upload", "Waiting", "World"]
