"""What a run, or the folder of the runs, doesn't have."""

from __future__ import annotations


class MissingError(Exception):
    """Something isn't there; the message is a sentence for the person. A request that needs it is answered with 404."""
