"""Tic-tac-toe: rules, recipe, solver, scored positions."""
