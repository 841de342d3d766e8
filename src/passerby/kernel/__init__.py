"""What features are written in: events, facts, decisions, effects. Imports nothing else of Passerby."""
