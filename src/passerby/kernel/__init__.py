"""The types that features use: events, facts, decisions, effects. It imports nothing else of Passerby."""
