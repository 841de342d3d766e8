"""The least that relays, written with other frameworks, beside ours: `python -m benchmarks.peers`."""
