"""Work over what people send grows with its length and no faster."""
