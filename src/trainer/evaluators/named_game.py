"""The game that a model file names."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.message import DecodeError

from trainer.core.errors import ModelError, shortened
from trainer.games import DEFAULT_GAME, env_id_of, is_installed, is_known
from trainer.pretrained import PRETRAINED, refuse_nameless
from trainer.run.model_contract import ENV_ID
from trainer.run.model_files import read_model


def game_named_in(content: bytes) -> str | None:
    """The game that a model file's metadata names; None if it names none, or can't be read."""
    import onnx  # takes long, and most commands are told the game

    try:
        model = onnx.load_model_from_string(content)
    except DecodeError:
        return None
    return next((entry.value for entry in model.metadata_props if entry.key == ENV_ID), None)


def require_installed(env_id: str, source: str) -> None:
    """Raise ModelError if a model, from `source`, names a game that isn't installed and that this process hasn't named.

    No model file can say which code runs.
    """
    if not is_known(env_id) and not is_installed(env_id):
        raise ModelError(
            f"{source} is a model of {shortened(env_id)}, a game that is not installed; name the file with its rules: "
            f"load_model(path, env_id='./mygame.py'), or --env-id ./mygame.py"
        )


def chosen_game(given: str | None, models: list[Path]) -> str:
    """The env_id of the game `given`, or else of the game named by the first model file that exists and names one.

    If none does, it is tic-tac-toe. Raises ModelError if that game isn't installed, or if only `pretrained` is there.
    """
    if given is not None:
        return env_id_of(given)
    files = [path for path in models if str(path) != PRETRAINED]
    for path in files:
        named = game_named_in(read_model(path)) if path.exists() else None
        if named is not None:
            require_installed(named, str(path))
            return named
    if len(files) < len(models):
        refuse_nameless()
    return DEFAULT_GAME
