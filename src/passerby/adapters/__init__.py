"""The implementations of the ports: in memory, Redis and SQL, and over the Bot API. Only `bootstrap` constructs
them."""
