"""The rules of anonymous chat, as pure functions over kernel values."""
