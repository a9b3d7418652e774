"""The commit that was measured."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def commit_of(folder: Path = ROOT, besides: str | None = None) -> str:
    """The short hash of the commit checked out in `folder`, with "-dirty" if tracked files differ from it.

    Files below the path `besides` (relative to the root of the repository) may differ. Empty outside of a git repository.
    """
    try:
        excluded = [f":(top,exclude){besides}"] if besides else []
        changed = _git(folder, "diff", "HEAD", "--name-only", "--", ":/", *excluded)
        return _git(folder, "rev-parse", "--short", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
