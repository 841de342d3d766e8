"""Real processes, really killed: `python -m tests.faults --kills 50`.

The sandbox is one process and stays alive: it is the judge's only witness. `passerby run` is another and is killed at
random moments while a few dozen simulated people chat through it. What a person sent must have been delivered to the
partner of that moment, or its sender must have been told that it was not.
"""
