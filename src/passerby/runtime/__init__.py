"""The shell around the decisions: everything that waits, retries, or talks to the world through a port.

    intake ──► queues ──► pipeline (load, decide, settle) ──► courier ──► Telegram
                 ▲                                             │
                 └───────────── outcomes, as events ───────────┘

The matcher and the janitor stand beside it; the recorder carries the journal to the records.
"""
