"""Scenes of two people in a chat, judged by what their phones show: over every store, on one bot and across two."""
