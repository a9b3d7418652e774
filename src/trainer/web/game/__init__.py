"""One game between a person and a model: its moves, the search that chooses the model's answers and analyses positions, and
the session that ties the game to a browser.
"""
