"""The way out: notices and relays, in order, within budgets, with retries."""
