"""The core of the sandbox: people, bots, chats, queues, files and rules. It has no sockets, threads, tasks or clocks.

Start reading at `world.world.World`: it explains how to use the core. The layers, from the top: `world`,
`methods` and `people`, one module for each family of methods, `requests`, `backend`, `state`.
"""

from botapi_sandbox.world.answers import Answer, Refusal, Upload, Waiting
from botapi_sandbox.world.switches import Switches
from botapi_sandbox.world.world import World

__all__ = ["Answer", "Refusal", "Switches", "Upload", "Waiting", "World"]
