"""A day of pairing: 15,000 people with skewed wishes, beside first-come pairing of the same people."""
