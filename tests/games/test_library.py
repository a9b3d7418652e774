"""Games are found by id, by path and by entry point, and a wrong name or file gives one sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import numpy as np
import pytest

from trainer.core.errors import GameError
from trainer.games import (
    ENV_IDS,
    find_game,
    game_of,
    has_rules,
    is_available,
    is_installed,
    is_known,
    known_games,
    part_of,
    rules_of,
    with_env_id,
)
from trainer.games.base import Game, Seats
from trainer.games.kernels import link_kernels
from trainer.games.library import names, registry
from trainer.games.library.found_game import FoundGame
from trainer.games.library.load import load
from trainer.games.library.stamp import plain, rules_differ, without_recipe
from trainer.games.position import Position
from trainer.games.positions import Positions
from trainer.games.symmetry import Symmetry
from trainer.games.vocabulary import vocabulary_of
from trainer.play.drawing import clicked_cells
from trainer.settings.actor import ActorConfig

OWN = Path(__file__).parent.parent / "support" / "own_games" / "myttt.py"


@pytest.fixture(autouse=True)
def only_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins as a process that has seen no game yet."""
    monkeypatch.setattr(registry, "_named", {})
    monkeypatch.setattr(registry, "_games", {})


def edited(folder: Path, *changes: tuple[str, str], name: str = "mine.py") -> Path:
    """A copy of our own game with some words replaced."""
    text = OWN.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_is_a_game() -> None:
    """Its two functions make all that a game needs, plain and compiled."""
    assert game_of(str(OWN)).env_id == "myttt"
    position = Position.first(rules_of(str(OWN)))
    for action in (0, 3, 1, 4, 2):
        position = position.play(action)
    assert (position.winner, position.legal) == (1, [])
    assert str(position) == "X X X\nO O .\n. . ."
    assert Position.from_bytes(rules_of(str(OWN)), position.to_bytes()).state.tolist() == position.state.tolist()
    fast = Positions(str(OWN), 1)
    fast.replay(0, [0, 3, 1, 4, 2])
    assert fast.stored()[0].tobytes() == position.to_bytes()


FOR_PEOPLE = """

def letter(column):
    return f"{'abcde'[column]}!"


def counts(state):
    return [sum(int(word) == player for word in state[FLAGS:]) for player in (1, 2)]


def name(state, action):
    return letter(action % SIZE)


def text(state):
    return " ".join(letter(count) for count in counts(state))


def score(state):
    first, second = counts(state)
    return first, second
"""


def test_functions_for_people_call_others_that_cannot_be_compiled(tmp_path: Path) -> None:
    """Such as one that makes strings or a list. They are plain Python in compiled rules, too."""
    path = tmp_path / "people.py"
    path.write_text(OWN.read_text() + FOR_PEOPLE)
    for rules in (rules_of(str(path)), link_kernels(str(path)).rules):
        position = Position.first(rules).play(1)
        assert (position.name(5), str(position), position.score) == ("c!", "b! a!", (1.0, 0.0))
    assert vocabulary_of("myttt").name(position.state, 4) == "b!"


def test_parameters_change_the_game_and_its_name() -> None:
    """Sizes follow, names have what differs from the defaults, and two sizes live side by side."""
    larger = find_game(f"{OWN}:size=5")
    assert (larger.game.env_id, larger.game.num_actions) == ("myttt:size=5", 25)
    assert game_of(f"{OWN}:size=3").env_id == "myttt"
    assert find_game(larger.name).game == larger.game
    assert [Positions(name, 1).legal().sum() for name in (str(OWN), f"{OWN}:size=5")] == [9, 25]


def test_a_game_that_was_named_is_known_by_its_env_id() -> None:
    """Nothing else runs rules from elsewhere."""
    assert not is_known("myttt")
    find_game(f"{OWN}:size=4")
    assert is_known("myttt:size=4")
    assert not is_known("myttt")
    assert not is_known(str(OWN))
    assert known_games() == [*ENV_IDS, "myttt:size=4"]
    assert game_of("myttt:size=4").width == 4


def test_asking_for_a_game_loads_nothing() -> None:
    """Neither one of the package with parameters nor a file. Names from one's own runs may load the former."""
    for name in ("hex:size=3", "hex:size=3 ", "./evil.py", "hex:./evil.py", "hex:no:evil.py", "foo:bar"):
        assert not is_known(name)
        assert is_installed(name) == name.startswith("hex:size=3")
        assert not is_available(name) or name == "hex:size=3"
        assert known_games() == [*ENV_IDS, *(["hex:size=3"] if is_known("hex:size=3") else [])]
    assert is_known("hex:size=3")
    assert not is_available("hex:size=999")
    assert [is_known(env_id) for env_id in ENV_IDS] == [True] * len(ENV_IDS)


def test_paths_may_have_colons(tmp_path: Path) -> None:
    """Such as a file in a run's folder that is named after the game; parameters may follow."""
    folder = tmp_path / "a:size=4" / "rules"
    folder.mkdir(parents=True)
    path = edited(folder)
    assert game_of(str(path)).env_id == "myttt"
    assert game_of(f"{path}:size=5").env_id == "myttt:size=5"
    odd = edited(tmp_path, name="mine:size=5.py")
    assert game_of(f"{odd}:size=5").num_actions == 25
    assert game_of(str(odd)).num_actions == 9
    edited(folder, name="rules.py")
    assert game_of(f"{folder}:size=4").env_id == "myttt:size=4"
    assert find_game(find_game(f"{path}:size=5").name).game.env_id == "myttt:size=5"


def test_a_word_with_a_colon_may_have_no_rules() -> None:
    """The game of another program may be called so."""
    assert not has_rules("foo:bar")
    assert not has_rules("a:b=1")
    assert has_rules("hex:bar")
    with pytest.raises(GameError, match="no rules for a game named 'foo:bar'"):
        find_game("foo:bar")


def test_settings_get_the_env_id() -> None:
    """A game that has only rows, and no rules, keeps the name that was given."""
    config = ActorConfig(env_id=f"{OWN}:size=4")
    assert with_env_id(config) == replace(config, env_id="myttt:size=4")
    assert not has_rules("mystery")
    assert with_env_id(replace(config, env_id="mystery")).env_id == "mystery"


def test_an_entry_point_is_a_game(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another package, in the group trainer.games."""
    points = EntryPoints([EntryPoint("theirs", "trainer.games.tictactoe.rules", "trainer.games")])
    monkeypatch.setattr(names, "entry_points", lambda group: points.select(group=group))
    monkeypatch.setattr(names, "FOLDER", OWN.parent)
    with pytest.raises(GameError, match="calls its game tictactoe, like one of this package"):
        find_game("theirs")
    with pytest.raises(GameError, match=r"no rules for a game named 'nobodys'; the known games are .*, theirs;"):
        find_game("nobodys")


@pytest.mark.parametrize("init", [True, False])
def test_an_entry_point_may_be_a_folder(init: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With or without `__init__.py`. The other files of the folder belong to the game."""
    package = f"theirs_{init}".lower()
    folder = tmp_path / package / "folder"
    folder.mkdir(parents=True)
    edited(folder, name="rules.py")
    (folder / "recipe.py").write_text("RECIPE = 'theirs'")
    if init:
        (folder.parent / "__init__.py").touch()
        (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    points = EntryPoints([EntryPoint("theirs", f"{package}.folder", "trainer.games")])
    monkeypatch.setattr(names, "entry_points", lambda group: points.select(group=group))
    assert find_game("theirs:size=4").path == folder / "rules.py"
    recipe = part_of("theirs", "recipe")
    assert recipe is not None
    assert recipe.RECIPE == "theirs"


@pytest.mark.parametrize("module", ["gone.mygame", "trainer.gone", "gone"])
def test_an_entry_point_whose_module_is_gone_is_one_sentence(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its package may be gone, or only the module in it."""
    points = EntryPoints([EntryPoint("theirs", module, "trainer.games")])
    monkeypatch.setattr(names, "entry_points", lambda group: points.select(group=group))
    with pytest.raises(GameError, match=f"the game theirs should be the module {module}, which is not installed"):
        find_game("theirs")


def test_a_folder_has_further_parts(tmp_path: Path) -> None:
    """Like those of the package; a file has what it defines itself."""
    edited(tmp_path, name="rules.py")
    (tmp_path / "recipe.py").write_text("RECIPE = 'ours'")
    recipe = part_of(str(tmp_path), "recipe")
    assert recipe is not None
    assert recipe.RECIPE == "ours"
    assert part_of(str(tmp_path), "solver") is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./nowhere.py", r"there is no game at /.*/nowhere\.py; give the path of a Python file with its rules"),
        (
            "nowhere.py:size=4",
            r"there is no game at /.*/nowhere\.py:size=4; give the path of a Python file with its rules",
        ),
        ("connect4:width=9", "connect4 has no parameter 'width'"),
        ("{own}:sise=4", "myttt has no parameter 'sise'; it has size"),
        ("{own}:size=9", "size=9 is out of range; size is an integer from 3 to 5"),
        ("{own}:4", "'4' in the game '.*' is not a list of parameters; write each one once, as name=integer"),
        ("{own}:size=4,size=5", "is not a list of parameters; write each one once"),
        ("hex:size=5 ", "'size=5 ' in the game 'hex:size=5 ' is not a list of parameters"),
        ("hex:size=5, swap=0", "with commas and no blanks between them"),
    ],
)
def test_a_wrong_name_gets_one_sentence(name: str, message: str) -> None:
    """It says what was expected and what was found."""
    with pytest.raises(GameError, match=message):
        find_game(name.format(own=OWN))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("GAME = Game(", "PLAY = Game("), "has no GAME; set it to a trainer.games.base.Game"),
        (("def play(", "def move("), r"has no function play\(state, action\)"),
        (("def legal(", "def allowed("), "must have one of the functions legal"),
        (("def legal(", "def cells(state, board): ...\n\n\ndef legal("), "must have both of cells.* and from_cells"),
        (
            ("GAME = Game(", "features = 0\nGAME = Game("),
            r"has a variable features \(int\), but features must be a function",
        ),
        (
            ("GAME = Game(", "name = 'mine'\nGAME = Game("),
            r"has a variable name \(str\), but name must be a function",
        ),
        (("num_actions=", "planes=3,\n    num_actions="), "has 3 planes and 0 features, so it needs features"),
        (('env_id="myttt"', 'env_id="othello"'), "calls its game othello, like one of this package"),
        (
            ('env_id="myttt"', 'env_id="my game"'),
            "calls its game 'my game', which is not a plain word; give its GAME an",
        ),
        (('env_id="myttt"', 'env_id="../../mine"'), r"calls its game '\.\./\.\./mine', which is not a plain word"),
        (('env_id="myttt"', 'env_id="hex:size=9"'), "calls its game 'hex:size=9', which is not a plain word"),
        (('env_id="myttt"', 'env_id=""'), "calls its game '', which is not a plain word"),
        (
            ("max_plies=SIZE * SIZE", "max_plies=SIZE * SIZE / 2"),
            r"gives its GAME max_plies=4\.5; it must be an integer of",
        ),
        (("width=SIZE", "width=SIZE / 1"), r"gives its GAME width=3\.0; it must be an integer of at least 1"),
        (("height=SIZE", "height=0"), "gives its GAME height=0; it must be an integer of at least 1"),
        (
            ("width=SIZE", "action_cells=[(0,)] * 9, width=0"),
            "gives its GAME width=0; it must be an integer of at least 1",
        ),
        (
            ("state_words=2 +", "features=-1, state_words=2 +"),
            "gives its GAME features=-1; it must be an integer of at least 0",
        ),
        (
            ("max_plies=SIZE", "max_moves=9.0, max_plies=SIZE"),
            r"gives its GAME max_moves=9\.0; it must be an integer of",
        ),
        (("SIZE = parameter", "SIZE = parametre"), r"line 8: NameError: name 'parametre' is not defined"),
        (("SIZE = ", "SIZE == = "), r"line 8: SyntaxError: invalid syntax"),
    ],
)
def test_a_wrong_file_gets_one_sentence(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """With the file, and the line if Python knows it."""
    path = edited(tmp_path, change)
    with pytest.raises(GameError, match=message) as refused:
        find_game(str(path))
    assert str(refused.value).startswith(str(path))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "symmetries=square_symmetries(3)[0]",
            r": symmetries must be a tuple of Symmetry; write \(Symmetry\(cells, actions\),\) for a",
        ),
        ("symmetries=((range(9), range(9)),)", r": symmetries must be a tuple of Symmetry; write"),
        (
            "symmetries=square_symmetries(3, 1)",
            r"symmetries\[0\]\.actions must have each number from 0 to 8 once; it has 10 numbers",
        ),
        (
            "symmetries=(*square_symmetries(3), Symmetry([0] * 9, range(9)))",
            r"symmetries\[8\]\.cells must have each number from 0 to 8 once; it has 9 numbers, 1 different ones,",
        ),
        (
            "seats=Seats(cells=(0, 1, 2, 3, 4, 5, 6, 7, 10**6))",
            r"Seats\.cells must have each number from 0 to 8 once; it has 9 numbers, 9 different ones, from 0 to 1000000",
        ),
    ],
)
def test_tables_that_kernels_could_not_read_by_are_refused(tmp_path: Path, table: str, message: str) -> None:
    """When the game is loaded: kernels don't look whether a number is inside."""
    imports = (
        "WINNER, Game\n",
        "WINNER, Game, Seats\nfrom trainer.games.symmetry import Symmetry, square_symmetries\n",
    )
    path = edited(tmp_path, imports, ("num_actions=", f"{table},\n    num_actions="))
    with pytest.raises(GameError, match=message) as refused:
        find_game(str(path))
    assert str(refused.value).startswith(str(path))


@pytest.mark.parametrize(
    ("imported", "used"),
    [
        ("", "np.random.randint(2)"),
        ("import random", "random.random()"),
        ("from random import randrange", "randrange(2)"),
        ("from numpy.random import randint", "randint(2)"),
        ("import numpy.random as dice", "dice.rand()"),
        ("DICE = np.random.default_rng(0)", "DICE.integers(2)"),
    ],
)
def test_games_of_chance_are_refused(tmp_path: Path, imported: str, used: str) -> None:
    """Numba compiles them, also if a helper throws the dice; and the checks would say something wrong of them."""
    dice = (
        ("GAME = Game(", f"{imported}\nGAME = Game("),
        ("def legal(", f"def thrown():\n    return {used}\n\n\ndef legal("),
    )
    find_game(str(edited(tmp_path, *dice)))  # nothing that is compiled throws them
    for call, name in ((used, "play"), ("thrown()", "thrown")):
        throws = ("mover = state[MOVER]\n", f"mover = state[MOVER]\n    {call}\n")
        path = edited(tmp_path, *dice, throws, name=f"{name}.py")
        with pytest.raises(
            GameError, match=rf"{name}\.py, line \d+: {name} uses random numbers \(.*\), but games can't"
        ):
            find_game(str(path))


def test_names_that_only_look_like_chance_are_no_matter(tmp_path: Path) -> None:
    """A variable in a function with the name of a random function of the file, and a method with that of a rule."""
    path = edited(
        tmp_path,
        (
            "GAME = Game(",
            "import random\nfrom random import choice\n\nNUMBERS = [choice((1, 2)) for _ in range(1)]\nGAME = Game(",
        ),
        ("mover = state[MOVER]\n", "mover = state[MOVER]\n    choice = action\n    action = choice\n"),
    )
    path.write_text(f"{path.read_text()}\n\nclass Bot:\n    def play(self):\n        return random.random()\n")
    find_game(str(path))


def test_tables_may_be_lists_and_arrays() -> None:
    """They become tuples that can be compared, and the cells to click on have numbers that the page can send."""
    backwards = np.arange(9)[::-1]
    assert Seats(cells=backwards, codes=[0, 2, 1]) == Seats(cells=tuple(range(8, -1, -1)))  # type: ignore[arg-type]
    assert Symmetry(np.arange(9), list(range(9))) == Symmetry(tuple(range(9)), tuple(range(9)))  # type: ignore[arg-type]
    one = (tuple(backwards[:1]), *[()] * 8)
    for cells in (backwards[:, None], [[cell] for cell in backwards], one):
        game = replace(game_of("tictactoe"), action_cells=cells)
        assert json.loads(json.dumps(clicked_cells(game)))[0] == [8]


def test_numbers_may_be_those_of_numpy(tmp_path: Path) -> None:
    """They become Python's: a database would store the others as bytes, and JSON has none of them."""
    number = "planes=np.int64(2),\n    max_moves=np.uint8(9),\n    num_actions=np.int64(1) * "
    game = find_game(str(edited(tmp_path, ("num_actions=", number)))).game
    sizes = [game.num_actions, game.planes, game.max_moves, game.obs_size, game.legal_mask_offset]
    assert json.dumps(sizes) == "[9, 2, 9, 29, 18]"


def test_two_games_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """The same rules at two places are one game, as a run's copy of them is."""
    assert find_game(str(edited(tmp_path))).game == find_game(str(OWN)).game
    other = edited(tmp_path, ("max(row, column, diagonal, other)", "max(row, column)"), name="other.py")
    with pytest.raises(GameError, match="both call their game myttt; give one of them another env_id"):
        find_game(str(other))


SMALL_GAME = """
from trainer.games.base import MOVER, OPEN, WINNER, Game

GAME = Game(env_id="small", width=1, height=1, num_actions=1, max_plies=1)


def legal(state, mask):
    mask[0] = state[WINNER] == OPEN


def play(state, action):
    state[WINNER] = state[MOVER]
"""


def test_a_later_version_of_this_package_gives_a_game_the_same_stamp(tmp_path: Path) -> None:
    """Else no model and no stored game could be used any more. A new field of Game must be marked as LATER."""
    path = tmp_path / "small.py"
    path.write_text(SMALL_GAME)
    assert find_game(str(path)).stamp == "b528b81d4aefecbb"


def test_stamps_follow_rules_and_parameters(tmp_path: Path) -> None:
    """The three games that other programs know have none."""
    stamps = [find_game(name).stamp for name in (str(OWN), f"{OWN}:size=4", str(edited(tmp_path)))]
    assert stamps[0] == stamps[2]
    assert stamps[0] != stamps[1]
    assert [find_game(env_id).stamp for env_id in ("tictactoe", "connect4", "othello")] == [None] * 3


@pytest.mark.parametrize(
    ("theirs", "ours", "differ"),
    [
        ("a", "b", True),
        ("a", "a", False),
        (None, "b", False),
        ("", "b", False),
        ("a", None, False),
        (None, None, False),
    ],
)
def test_rules_differ_only_if_both_sides_state_them(theirs: str | None, ours: str | None, differ: bool) -> None:
    """Games of the contract and files of other programs have no stamp, and are accepted."""
    assert rules_differ(theirs, ours) is differ


RECIPE = """
import os
from dataclasses import replace

from trainer.settings.loop import LoopConfig

PLAIN = LoopConfig(threads=int(os.environ["CORES"]))
RECIPE = replace(
    PLAIN,
    minutes={minutes},{more}
)
"""


def test_a_recipe_is_no_part_of_the_stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has settings that follow the machine's cores. It may be edited, too, even by lines; the rules may not."""
    stamps = []
    for cores, minutes, more in (("1", 3, ""), ("64", 3, ""), ("1", 60, "\n    width=128,  # wider")):
        monkeypatch.setenv("CORES", cores)
        path = tmp_path / f"small{len(stamps)}.py"
        path.write_text(SMALL_GAME + RECIPE.format(minutes=minutes, more=more))
        stamps.append(load(str(path), {}).stamp)
    assert stamps[0] == stamps[1] == stamps[2]
    path.write_text(path.read_text().replace("max_plies=1", "max_plies=2"))
    assert load(str(path), {}).stamp != stamps[0]


def test_a_line_that_has_more_than_the_recipe_counts() -> None:
    """Only whole statements are left out of the hash."""
    assert without_recipe(b"A = 1\nRECIPE = (\n  2,\n)\nB = 3\n") == b"A = 1\nB = 3\n"
    assert without_recipe(b"RECIPE = 1; B = 3\n") == b"RECIPE = 1; B = 3\n"
    assert without_recipe(b"MY_RECIPE = 1\n") == b"MY_RECIPE = 1\n"


def test_a_table_of_objects_counts_by_its_content() -> None:
    """Its bytes are addresses, which differ from process to process."""
    one, same, other = (plain(np.array(["".join(words)], dtype=object)) for words in ("ab", "ab", "ac"))
    assert one == same != other


def test_threads_may_name_games_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One looks through the games that were named while others name more."""
    named: dict[str, FoundGame] = {}
    monkeypatch.setattr(registry, "_named", named)
    monkeypatch.setattr(registry, "_games", {})
    monkeypatch.setattr(FoundGame, "require_unchanged", lambda game: named.setdefault(f"another {len(named)}", game))
    for size in (3, 4, 5):
        find_game(f"hex:size={size}")
    assert len(named) > 3  # others were added meanwhile


def test_no_position_has_more_moves_than_actions() -> None:
    """Whatever a game says; a packed row has a number for each."""
    game = Game(env_id="many", width=9, height=9, num_actions=90, max_plies=81, planes=12, max_moves=200)
    assert (game.most_moves, game.packed_moves) == (90, 90)
