"""Pairing: wishes, the crowd of waiting people, and the choice among them."""
