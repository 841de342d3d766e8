"""Load, decide, commit: one event becomes one decision and one commit."""
