"""Simulates a day of pairing: 15,000 people with uneven wishes, compared with first-come pairing of the same people."""
