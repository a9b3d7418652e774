"""What other programs call a game and its moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from registering import game_with

from trainer.core.errors import GameError
from trainer.games import ENV_IDS, rules_of
from trainer.games.base import FIRST, OPEN, SECOND
from trainer.games.position import Position
from trainer.games.vocabulary import Vocabulary, vocabulary_of


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_names_tell_the_legal_moves_apart(env_id: str) -> None:
    """In every position of some random games, whatever their case; and none has a space."""
    words, generator = vocabulary_of(env_id), np.random.default_rng(0)
    namings = [words.gtp_move] + ([words.uci_move] if words.uci_variant else [])
    for _ in range(3):
        position = Position.first(rules_of(env_id))
        while position.winner == OPEN:
            for naming in namings:
                names = {naming(position.state, action).lower() for action in position.legal}
                assert len(names) == len(position.legal)
                assert all(len(name.split()) == 1 for name in names)
            position = position.play(int(generator.choice(position.legal)))


@pytest.mark.parametrize(
    ("env_id", "action", "name"),
    [
        ("tictactoe", 0, "A3"),
        ("go", 0, "A9"),
        ("go", 8, "J9"),
        ("go", 81, "pass"),
        ("mnk:width=19,height=6", 18, "T6"),
        ("hex", 1, "b1"),
        ("othello", 19, "d3"),
        ("othello", 64, "pass"),
        ("connect4", 6, "7"),
        ("breakthrough", 22, "a2a3"),
    ],
)
def test_moves_in_gtp(env_id: str, action: int, name: str) -> None:
    """Go has no column I, and counts from the bottom; Hex and Othello count from the top."""
    position = Position.first(rules_of(env_id))
    assert vocabulary_of(env_id).gtp_move(position.state, action) == name


def test_promotions_in_uci() -> None:
    """A letter for the new piece follows if, and only if, a pawn arrives on the last rank."""
    words, generator, promotions = vocabulary_of("minichess"), np.random.default_rng(0), set()
    for _ in range(10):
        position = Position.first(rules_of("minichess"))
        while position.winner == OPEN:
            for action in position.legal:
                name = words.uci_move(position.state, action)
                is_pawn = position.cells["abcde".index(name[0]) + 5 * (int(name[1]) - 1)] in (1, 2)
                assert (len(name) == 5) == (is_pawn and name[3] in "15")
                promotions.add(name[4:])
            position = position.play(int(generator.choice(position.legal)))
    assert promotions == {"", "q", "r", "b", "n"}


@pytest.mark.parametrize(
    ("env_id", "setup"),
    [
        ("go:size=5", ["boardsize 5", "komi 7.5"]),
        ("go:half_komi=12", ["boardsize 9", "komi 6"]),
        ("hex:size=5", ["boardsize 5"]),
        ("mnk:width=7", ["rectangular_boardsize 7 5"]),
    ],
)
def test_the_setup_in_gtp(env_id: str, setup: list[str]) -> None:
    """With the values of the parameters."""
    assert vocabulary_of(env_id).gtp_setup() == setup


def test_colours_and_variants() -> None:
    """Black moves first, except where the game says White. Only some games, and sizes, have a name in UCI."""
    assert [vocabulary_of(env_id).gtp_colour(FIRST) for env_id in ("go", "hex", "minichess")] == [
        "black",
        "black",
        "white",
    ]
    assert vocabulary_of("minichess").gtp_colour(SECOND) == "black"
    variants = {env_id: vocabulary_of(env_id).uci_variant for env_id in ENV_IDS}
    assert {env_id for env_id, variant in variants.items() if variant} == {"minichess", "breakthrough"}
    assert vocabulary_of("breakthrough:columns=6").uci_variant is None


def test_a_game_of_ones_own_brings_its_words(tmp_path: Path) -> None:
    """A class in its only file, which sees the parameters."""
    text = (Path(__file__).parent.parent / "support" / "own_games" / "myttt.py").read_text()
    (tmp_path / "named.py").write_text(
        "from trainer.games.vocabulary import Vocabulary\n"
        + text.replace('"myttt"', '"named"')
        + "\n\nclass ENGINE(Vocabulary):\n"
        + "    def gtp_move(self, state, action):\n        return f'{self.own.SIZE}-{action}'\n"
    )
    words = vocabulary_of(f"{tmp_path / 'named.py'}:size=4")
    assert isinstance(words, Vocabulary)
    assert (words.gtp_setup(), words.gtp_move(np.zeros(18, np.uint64), 7)) == (["boardsize 4"], "4-7")


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        ("", r"engine\.py has no ENGINE; set it to a class derived from trainer\.games\.vocabulary\.Vocabulary"),
        ("ENGINE = 3", r"ENGINE in .*engine\.py is 3, of the type int; set it to a class derived from"),
        ("class ENGINE: ...", r"ENGINE in .*engine\.py is <class '.*ENGINE'>, of the type type; set it to a class"),
        (
            "from trainer.games.vocabulary import Vocabulary\n\n\nclass ENGINE(Vocabulary):\n"
            "    def __init__(self, game, own):\n        self.size = own.NOTHING\n",
            r"engine\.py, line 6: AttributeError: .*NOTHING",
        ),
    ],
)
def test_wrong_words_get_one_sentence(engine: str, message: str, tmp_path: Path) -> None:
    """It names the file, and the line if it fails."""
    with pytest.raises(GameError, match=message):
        vocabulary_of(game_with("engine.py", engine, tmp_path))
