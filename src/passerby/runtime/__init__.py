"""The code around the decisions that waits, retries, or uses a port.

    inbound ──► person queues ──► event handler (load, decide, commit) ──► courier ──► Telegram
                     ▲                                                        │
                     └─────────────── failed deliveries, as events ───────────┘

Beside this path, the matcher pairs people, the janitor repairs, and the recorder writes the journal to the records.
"""
