"""One module for each page of the panel, or for a few that belong together: what it shows, and what it does."""
