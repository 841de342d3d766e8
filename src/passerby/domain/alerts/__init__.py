"""Alerts: the rules, when each one fires and is resolved, and the words about it. Pure: readings in, news out."""
