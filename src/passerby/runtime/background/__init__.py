"""Tasks that run beside the updates: pairing, recording, cleaning up, watching idle chats and the event loop."""
