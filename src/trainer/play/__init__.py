"""A game between a person and a model, and the command that plays one in the terminal.

`game_in_progress.py` and `drawing.py` are what the page uses, too. `board.py` draws a position as text,
`picking.py` chooses a move with the arrow keys, `keys.py` reads them, `screen.py` draws over itself, and `table.py` puts it
together.
"""
