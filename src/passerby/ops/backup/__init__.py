"""Backups of the records: `passerby backup run`, `list`, `verify`, `restore`, and the duty that makes and tests them.

`sealed` is the format of the file. `directory` knows which backups there are, and which of them are kept. `databases`
dumps and loads SQLite and PostgreSQL, with `programs`. `taking`, `verifying` and `restoring` are the commands. `duty`
starts them every day.
"""
