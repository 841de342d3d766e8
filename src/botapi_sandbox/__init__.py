"""A Bot API server for people without a token: it behaves like Telegram where that matters to a bot.

`world` is the pure, synchronous core (time and chance are injected); `server` puts HTTP around it; `cli` starts it.
Nothing here knows the product that is tested against it: this package imports nothing but its own modules and
libraries.
"""

from botapi_sandbox.world import Answer, Switches, Upload, Waiting, World

__all__ = ["Answer", "Switches", "Upload", "Waiting", "World"]
