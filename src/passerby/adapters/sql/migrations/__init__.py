"""The history of the tables. A migration must let the previous release keep working, so expand first."""
