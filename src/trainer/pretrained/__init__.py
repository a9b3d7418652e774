"""Models that come with the package: `<game>.onnx` beside this file, a card `<game>.md` that says how it was trained and how
strong it is, and `<game>.json`, the curves of a published run. `--model pretrained` names the one of the game.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from trainer.core.errors import ModelError

PRETRAINED = "pretrained"
FOLDER = Path(__file__).parent


def file_name(env_id: str) -> str:
    """The name of a game's files, without their ending: hex-size=5 for hex:size=5."""
    return env_id.replace(":", "-").replace(",", "-")


def shipped(env_id: str) -> Path | None:
    """The model of a game; None if there is none."""
    path = FOLDER / f"{file_name(env_id)}.onnx"
    return path if path.exists() else None


def curves(env_id: str) -> Path | None:
    """The losses and evaluations of a game's published run, in the form of stats.json; None if there are none."""
    path = FOLDER / f"{file_name(env_id)}.json"
    return path if path.exists() else None


def env_ids(ending: str = ".onnx") -> list[str]:
    """The games of all models, as --env-id takes them; or of all files with another ending."""
    return sorted(path.stem.replace("-", ":", 1).replace("-", ",") for path in FOLDER.glob(f"*{ending}"))


def refuse_nameless() -> NoReturn:
    """Raise ModelError, because `pretrained` was given without a game."""
    raise ModelError(
        "pretrained is a model of many games; name one with load_model('pretrained', env_id=...), or --env-id"
    )


def model_path(path: Path, env_id: str) -> Path:
    """A path to a model as a user gave it: `pretrained` is the model of the game. Raises ModelError if there is none."""
    if str(path) != PRETRAINED:
        return path
    found = shipped(env_id)
    if found is None:
        raise ModelError(f"no model of {env_id} comes with this package; there are {', '.join(env_ids())}")
    return found
