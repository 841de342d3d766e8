"""A worker's place among the others: heartbeats, leases, fences, and which bots can be used."""
