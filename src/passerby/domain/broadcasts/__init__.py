"""Broadcasts: their options, what staff may do with them, who gets one and when, and when one stops by itself."""
