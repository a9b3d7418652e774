"""The checker of games: `python -m trainer.check GAME` finds the mistakes that would silently ruin training."""
