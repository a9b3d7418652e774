"""Which of the peers can be measured here."""

from __future__ import annotations

import importlib.util


def are_installed(*modules: str) -> bool:
    """Whether all of these modules can be imported."""
    return all(importlib.util.find_spec(module) for module in modules)
