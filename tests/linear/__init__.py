"""The work for what people send grows with its length, and no faster."""
