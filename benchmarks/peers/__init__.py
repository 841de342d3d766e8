"""Compares our relay with minimal relays written with other frameworks: `python -m benchmarks.peers`."""
