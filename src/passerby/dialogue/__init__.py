"""Keyboards, menus and notices that several features share. Pure, as features are."""
