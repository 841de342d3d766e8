"""What the records cost when they are full: `python -m benchmarks.sql`."""
