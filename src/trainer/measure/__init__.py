"""Measuring how strong a player is: matches, their intervals, Elo ratings, and wrong moves."""
