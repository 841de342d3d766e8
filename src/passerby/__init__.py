"""Anonymous one-to-one chat between strangers on Telegram, over a fleet of bots that share one pool of people."""

__version__ = "0.1.0"
