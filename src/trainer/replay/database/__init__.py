"""A replay database: how it is opened, its tables, and what it states of a game.

`connection.py` opens it and names its errors. `tables.py` knows its tables: `replay.sql` is the schema, `layouts.sql` and
`shipments.sql` have tables that only some databases need. `metadata.py` reads and writes what it states of a game.
"""
