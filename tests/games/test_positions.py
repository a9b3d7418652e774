"""One position, and many at once, as somebody's program uses them; and the parts of a stored state."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from kinds import every_kind
from lines_of_play import some_positions

from trainer.api import new_position
from trainer.check.checks.compiled import check_compiled
from trainer.check.subject import Subject
from trainer.core.errors import GameError
from trainer.games import rules_of
from trainer.games.base import FIRST, FLAGS, OPEN
from trainer.games.kernels import compiled_rules, link_kernels
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.games.state_blob import parts_of


def test_movers_and_winners_are_numbers_of_their_own() -> None:
    """They can be negated, and later moves don't change them."""
    positions = Positions("tictactoe", 1)
    positions.replay(0, [0, 3, 1, 4])
    before = positions.mover, positions.winner
    positions.replay(0, [2])
    assert [part.tolist() for part in before] == [[FIRST], [OPEN]]
    assert positions.winner.tolist() == [FIRST]
    positions = Positions("tictactoe", 2)
    positions.play(np.array([1]), np.array([4]))
    assert (3 - 2 * positions.mover).tolist() == [1, -1]


def test_other_positions_are_copies() -> None:
    """Neither the object that made them nor the array that they were made of changes when they are played on."""
    positions = Positions("tictactoe", 2)
    states = positions.states.copy()
    others = positions.of(positions.states)
    others.play(np.arange(2), np.array([4, 0]))
    assert (positions.states == states).all()
    assert (others.states != states).any()


@every_kind
def test_a_position_equals_its_copies_and_no_other(env_id: str) -> None:
    """So positions can be counted in dictionaries, and sent to other processes."""
    first = Position.first(rules_of(env_id))
    later = [first.play(action) for action in first.legal]
    again = [first.play(action) for action in first.legal]
    assert later == again == pickle.loads(pickle.dumps(later))
    assert len({first, *later, *again}) == 1 + len(later)
    assert first != later[0]
    assert first != first.to_bytes()


def test_a_position_shows_itself() -> None:
    """As a notebook writes it: the game, who is to move or how it ended, and the board."""
    position = Position.first(rules_of("tictactoe")).play(4)
    assert repr(position) == "tictactoe, O to move\n. . .\n. X .\n. . ."
    for action in (0, 1, 2, 7):
        position = position.play(action)
    assert repr(position) == "tictactoe, X won\nO X O\n. X .\n. X ."
    drawn = Position.first(rules_of("tictactoe"))
    for action in (0, 1, 2, 4, 3, 5, 7, 6, 8):
        drawn = drawn.play(action)
    assert repr(drawn) == "tictactoe, a draw\nX O X\nX O O\nO X X"


def test_rules_of_another_speed_make_no_other_position() -> None:
    """But another size of the game does, even if nothing is on the board."""
    plain, compiled = Position.first(rules_of("tictactoe")), Position.first(link_kernels("tictactoe").rules)
    assert plain == compiled
    assert hash(plain) == hash(compiled)
    assert Position.first(rules_of("hex:size=3")) != Position.first(rules_of("hex:size=4"))


@every_kind
def test_the_kernels_have_each_part_where_it_is(env_id: str) -> None:
    """`store` writes each part there. `restore` reads blobs that were put together from parts, here in the reverse order."""
    subject = Subject(env_id)
    game, states = subject.game, some_positions(env_id, 40)
    stored = subject.first(0).of(states).stored()
    parts = parts_of(game, stored)
    np.testing.assert_array_equal(parts.cells, subject.cells(states))
    np.testing.assert_array_equal(parts.words, states[:, : FLAGS + game.flag_words])
    np.testing.assert_array_equal(parts.raw, states[:, game.state_words - game.raw_words :])
    blank = np.zeros_like(stored)
    for part, content in zip(parts_of(game, blank), parts, strict=True):
        part[::-1] = content
    np.testing.assert_array_equal(subject.restored(blank), states[::-1])


BAD = """from trainer.games.base import FLAGS, MOVER, OPEN, WINNER, Game

GAME = Game(env_id="bad", width=4, height=1, num_actions=4, max_plies=4)


def legal(state, mask):
    for action in range(4):
        mask[action] = state[WINNER] == OPEN and state[FLAGS + action] == 0


def put(state, action):
    state[FLAGS + action / 1] = state[MOVER]


def play(state, action):
    put(state, action)


def text(state):
    return "ab"[int(state[MOVER]) + 1]
"""


def test_a_mistake_in_somebodys_rules_is_one_sentence_with_its_line(tmp_path: Path) -> None:
    """The innermost line of their file, whether Numba refuses it, or plain Python does."""
    path = tmp_path / "bad.py"
    path.write_text(BAD)
    refused = (
        f"{path}, line 12: play can't be compiled (`state[FLAGS + action / 1] = state[MOVER]`): an index is a float"
    )
    for use in (lambda: Positions(str(path), 1), lambda: compiled_rules(str(path))):
        with pytest.raises(GameError) as caught:
            use()
        assert str(caught.value).startswith(refused)
        assert "\n" not in str(caught.value)
    (finding,) = check_compiled(Subject(str(path)))
    assert finding.text == f"{caught.value}."
    position = new_position(str(path))
    with pytest.raises(GameError, match=rf"^{path}, line 12: IndexError: only integers"):
        position.play(0)
    with pytest.raises(GameError, match=rf"^{path}, line 20: IndexError: string index out of range$"):
        str(position)


def test_what_compiled_rules_raise_stays_as_it_is(tmp_path: Path) -> None:
    """They know no lines, and `cartridge check` looks for their IndexErrors. So does what is a bug of this package."""
    path = tmp_path / "out.py"
    path.write_text(BAD.replace('"bad"', '"out"').replace("FLAGS + action / 1", "(2, 3)[action]"))
    state = np.zeros(6, np.uint64)
    with pytest.raises(IndexError):
        Position(link_kernels(str(path)).rules, state).after(2)
    with pytest.raises(GameError, match=rf"^{path}, line 12: IndexError: tuple index out of range$"):
        Position(rules_of(str(path)), state).after(2)
    with pytest.raises(IndexError):
        Position(rules_of("tictactoe"), state[:0]).after(0)
