"""Othello: rules, recipe, heuristic."""
