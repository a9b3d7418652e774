"""The checks: each file has a function that plays games and returns what it found wrong."""
