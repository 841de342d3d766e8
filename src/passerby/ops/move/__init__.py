"""`passerby move`: everything in the records goes to another database, from SQLite to PostgreSQL or back.

`moving` is the command. `copying` copies the rows of one connection to another.
"""
