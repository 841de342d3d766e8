"""Updates that no Telegram server has sent yet."""
