"""Who is paired with whom: wishes, the crowd of those who wait, and the choice among them."""
