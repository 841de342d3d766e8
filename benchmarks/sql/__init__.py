"""Measures what full records cost: `python -m benchmarks.sql`."""
