"""Train, measure and play AlphaZero-style agents for board games.

The rooms of this package and the order to read them in are in `docs/architecture.md`. Importing the package
imports none of them, so a player never pays for torch.
"""

__version__ = "0.1.0"
