"""Tic-tac-toe: rules and recipe."""
