"""The ports, kept: in memory, in SQL, over the Bot API. Only `bootstrap` constructs them."""
