"""`python -m trainer.analyse`: what a model thinks of many positions.

`lines.py` has the lines that name the positions, `answers.py` those that are written.
"""
