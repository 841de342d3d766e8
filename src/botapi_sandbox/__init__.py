"""A Bot API server that needs no token. To a bot it behaves like Telegram.

`world` is the pure, synchronous core; the clock and the random numbers are passed in. `server` adds HTTP. `cli` starts
it. This package imports only its own modules and libraries, so it works with any bot.
"""

from botapi_sandbox.world import Answer, Switches, Upload, Waiting, World

__all__ = ["Answer", "Switches", "Upload", "Waiting", "World"]
