"""Real processes that are really killed: `python -m tests.faults --kills 50`.

The sandbox is one process and stays alive. The judge relies on it alone. `passerby run` is another process. It is
killed at random moments while a few dozen simulated people chat through it. Each message must be delivered to the
partner whom the sender had at that moment, or the sender must be told that it was not delivered.
"""
