"""People who chat by themselves, and a judge of what happened to them. Telegram is the sandbox."""
