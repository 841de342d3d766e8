"""Keyboards, menus and texts that several features share. Pure, as features are."""
