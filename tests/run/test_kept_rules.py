"""A run plays by its own copy of the rules, and nothing is played by others."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from errno import ENOSPC
from pathlib import Path

import pytest
from random_models import publish_model

from trainer.core.errors import GameError, ModelError, ReplayError
from trainer.evaluators.loader import ModelLoader
from trainer.game_config import load_game_config
from trainer.games import find_game
from trainer.games.kernels import link_kernels
from trainer.games.library import registry
from trainer.replay import ReplayBuffer, ReplayWriter
from trainer.run.kept_rules import keep_rules, kept_game

OWN = Path(__file__).parent.parent / "support" / "own_games" / "myttt.py"


def forget_games() -> None:
    """Forget the games that were named, as a new process has."""
    registry._named.clear()
    registry._games.clear()


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    """Each test begins without games, and leaves none."""
    forget_games()
    yield
    forget_games()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A file of somebody's rules."""
    return Path(shutil.copy(OWN, tmp_path / "mine.py"))


def edit(rules: Path) -> None:
    """Change what wins, as a new process would see it."""
    rules.write_text(rules.read_text().replace("max(row, column, diagonal, other)", "max(row, column)"))
    forget_games()


def test_a_run_keeps_a_copy_and_its_name_finds_it(rules: Path, tmp_path: Path) -> None:
    """With the parameters. An edit of the original changes nothing in it."""
    run = tmp_path / "run"
    name = keep_rules(f"{rules}:size=4", run)
    assert name == f"{run}/rules/mine.py:size=4"
    edit(rules)
    assert find_game(name).path.read_bytes() == OWN.read_bytes()
    kept = kept_game(run, "myttt:size=4")
    assert kept is not None
    assert kept.game.env_id == "myttt:size=4"


def test_a_game_of_the_package_needs_no_copy(tmp_path: Path) -> None:
    """It is found by its name everywhere."""
    assert keep_rules("connect4", tmp_path) == "connect4"
    assert kept_game(tmp_path, "connect4") is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_kept_with_its_other_files(rules: Path, tmp_path: Path) -> None:
    """The recipe and the scored positions belong to the rules."""
    folder = tmp_path / "game"
    folder.mkdir()
    rules.rename(folder / "rules.py")
    (folder / "recipe.py").write_text("RECIPE = None")
    assert keep_rules(str(folder), tmp_path / "run") == f"{tmp_path}/run/rules/rules.py"
    assert (tmp_path / "run" / "rules" / "recipe.py").exists()


def test_a_resume_refuses_other_rules_and_goes_on_by_the_old_ones(rules: Path, tmp_path: Path) -> None:
    """The message names both files, and the copy stays as it is."""
    run = tmp_path / "run"
    copy = keep_rules(str(rules), run)
    before = Path(copy).read_bytes()
    edit(rules)
    with pytest.raises(
        GameError, match=r"the rules of myttt have changed since the run in .* began: .*mine\.py differs"
    ):
        keep_rules(str(rules), run, resume=True)
    assert Path(copy).read_bytes() == before
    forget_games()
    assert keep_rules(copy, run, resume=True) == copy


def test_a_recipe_in_the_file_may_change(rules: Path, tmp_path: Path) -> None:
    """A run that is resumed keeps its own; a new one takes the new one."""
    run, text = tmp_path / "run", rules.read_text()
    recipe = "from trainer.settings.loop import LoopConfig\n\nRECIPE = LoopConfig(\n    minutes={minutes},\n)\n"
    rules.write_text(text + recipe.format(minutes=1))
    copy = Path(keep_rules(str(rules), run))
    rules.write_text(text + recipe.format(minutes=2))
    forget_games()
    keep_rules(str(rules), run, resume=True)
    assert "minutes=1" in copy.read_text()
    forget_games()
    keep_rules(str(rules), run)
    assert "minutes=2" in copy.read_text()


def test_a_new_run_takes_the_new_rules_and_sets_the_old_ones_aside(rules: Path, tmp_path: Path) -> None:
    """If no games were played by the old ones."""
    run = tmp_path / "run"
    copy = keep_rules(str(rules), run)
    before = Path(copy).read_bytes()
    edit(rules)
    assert keep_rules(str(rules), run) == copy
    assert Path(copy).read_bytes() == rules.read_bytes()
    (old,) = run.glob("rules-old-*")
    assert (old / "mine.py").read_bytes() == before


def test_the_rules_stay_if_those_of_a_new_run_can_not_be_copied(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk, for example: the earlier run can still be resumed by them. What a killed process began is removed."""
    run = tmp_path / "run"
    copy = Path(keep_rules(str(rules), run))
    before = copy.read_bytes()
    edit(rules)

    def full(path: Path, content: bytes) -> None:
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("trainer.run.kept_rules.write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            keep_rules(str(rules), run)
    forget_games()
    assert kept_game(run, "myttt") is not None
    assert copy.read_bytes() == before
    assert [path.name for path in run.iterdir()] == ["rules"]
    (run / ".rules-killed").mkdir()
    forget_games()
    keep_rules(str(rules), run)
    assert sorted(path.name.split("-")[0] for path in run.iterdir()) == ["rules", "rules"]
    assert copy.read_bytes() == rules.read_bytes()


@pytest.mark.parametrize("resume", [True, False])
def test_a_file_with_another_name_is_the_same_game(rules: Path, tmp_path: Path, resume: bool) -> None:
    """The copy keeps the name that the file had."""
    copy = keep_rules(str(rules), tmp_path / "run")
    forget_games()
    assert keep_rules(str(rules.rename(tmp_path / "renamed.py")), tmp_path / "run", resume) == copy


@pytest.mark.parametrize("name", ["recipe.py", "heuristic.py", "solver.py", "scored_positions.py", "positions.csv"])
@pytest.mark.parametrize(("before", "after"), [("# old", "# new"), (None, "# new"), ("# old", None)])
def test_a_new_run_takes_whatever_has_changed_beside_the_rules(
    rules: Path, tmp_path: Path, name: str, before: str | None, after: str | None
) -> None:
    """A file that is edited, new or gone; also where games were played. A resumed run goes on with what it has."""
    folder, run = tmp_path / "game", tmp_path / "run"
    folder.mkdir()
    rules.rename(folder / "rules.py")
    put(folder / name, before)
    copy = Path(keep_rules(str(folder), run))
    game = load_game_config(str(copy), run / "replay.db")
    ReplayWriter(run / "replay.db", game.metadata, rules=game.stored_rules).close()
    put(folder / name, after)
    for resume, expected, times in ((True, before, 0), (False, after, 1), (False, after, 1)):
        forget_games()
        assert keep_rules(str(folder), run, resume) == str(copy)
        assert held(copy.with_name(name)) == expected
        assert [held(old / name) for old in run.glob("rules-old-*")] == [before] * times


def put(path: Path, text: str | None) -> None:
    """Let the file hold the text; None: let there be none."""
    path.unlink(missing_ok=True)
    if text is not None:
        path.write_text(text)


def held(path: Path) -> str | None:
    """What the file holds; None if there is none."""
    return path.read_text() if path.exists() else None


def test_a_new_run_refuses_other_rules_where_games_were_played_by_the_old_ones(rules: Path, tmp_path: Path) -> None:
    """They could never be used together. Nothing is changed."""
    run = tmp_path / "run"
    copy = keep_rules(str(rules), run)
    game = load_game_config(str(rules), run / "replay.db")
    ReplayWriter(run / "replay.db", game.metadata, rules=game.stored_rules).close()
    before = Path(copy).read_bytes()
    edit(rules)
    with pytest.raises(GameError, match=r"the games in .*replay\.db were played by other rules of myttt"):
        keep_rules(str(rules), run)
    assert Path(copy).read_bytes() == before


def test_somebody_elses_folder_is_left_alone(rules: Path, tmp_path: Path) -> None:
    """One that is called `rules`, but holds no copy."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "notes.txt").write_text("mine")
    with pytest.raises(GameError, match="that folder was not made by a run"):
        keep_rules(str(rules), tmp_path)
    assert (tmp_path / "rules" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("content", ["", "{}", '{"env_id": "myttt", "file": 3, "parameters": {}}'])
def test_a_damaged_record_is_one_sentence(content: str, rules: Path, tmp_path: Path) -> None:
    """For whoever starts the run again, and for whoever looks for its game."""
    keep_rules(str(rules), tmp_path)
    (tmp_path / "rules" / "kept.json").write_text(content)
    with pytest.raises(
        GameError, match=r"kept\.json is damaged, so this run's own rules can't be found; move the folder"
    ):
        keep_rules(str(rules), tmp_path, resume=True)
    with pytest.raises(GameError, match=r"kept\.json is damaged"):
        kept_game(tmp_path, "myttt:size=3")


def test_a_copy_is_used_for_its_own_game_only(rules: Path, tmp_path: Path) -> None:
    """Another game in the same folder has nothing to do with it."""
    keep_rules(str(rules), tmp_path)
    assert kept_game(tmp_path, "hex:size=5") is None
    assert kept_game(tmp_path, "myttt:size=4") is None


def test_only_parts_of_the_game_are_copied(rules: Path, tmp_path: Path) -> None:
    """A folder may hold anything else."""
    folder = tmp_path / "game"
    folder.mkdir()
    rules.rename(folder / "rules.py")
    (folder / "secrets.env").write_text("x")
    keep_rules(str(folder), tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run" / "rules").iterdir()) == ["kept.json", "rules.py"]


def test_rules_that_cannot_be_compiled_are_refused_by_their_own_name(rules: Path, tmp_path: Path) -> None:
    """The copy would be named otherwise, and edited. No folder is made."""
    rules.write_text(rules.read_text().replace("state[MOVER] = np.uint64(3)", "state[MOVER / 1] = np.uint64(3)"))
    with pytest.raises(GameError, match=rf"^{rules}, line \d+: play can't be compiled \(`state\[MOVER / 1\] = "):
        keep_rules(str(rules), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_this_process_plays_by_the_copy_too(rules: Path, tmp_path: Path) -> None:
    """An edit of the original while a run goes on isn't noticed by anybody."""
    copy = keep_rules(str(rules), tmp_path / "run")
    rules.write_text("broken")
    assert find_game("myttt").path == Path(copy)
    link_kernels("myttt")


def test_an_edited_file_is_refused_where_it_is_named_again(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same process, however it is named: to go on by what was read would be to learn the old rules."""
    monkeypatch.chdir(tmp_path)
    copy = keep_rules("./mine.py", tmp_path / "run")
    assert find_game("mine.py").path == Path(copy)
    rules.write_text(rules.read_text() + "\n")
    for name in ("./mine.py", "mine.py", str(rules), "mine.py:size=3", "mine.py:size=4"):
        with pytest.raises(
            GameError, match=r"/mine\.py was changed after this process had read it; start the command, or"
        ):
            find_game(name)
    for name in ("myttt", copy):
        assert find_game(name).path == Path(copy)


def test_a_relative_path_is_that_of_the_folder_where_it_is_named(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another folder may have a game in a file of the same name."""
    monkeypatch.chdir(tmp_path)
    assert find_game("mine.py").game.env_id == "myttt"
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.py").write_text(rules.read_text().replace('"myttt"', '"theirs"'))
    monkeypatch.chdir(other)
    assert find_game("mine.py").game.env_id == "theirs"


def test_rules_that_were_edited_after_they_were_read_are_not_compiled(rules: Path) -> None:
    """They would be compiled under the hash of others."""
    env_id = find_game(str(rules)).game.env_id
    rules.write_text(rules.read_text() + "\n")
    with pytest.raises(GameError, match=r"mine\.py was changed after this process had read it"):
        link_kernels(env_id)


@pytest.mark.parametrize("line", ["import helper", "from helper import LIMIT", "from . import helper"])
def test_rules_need_no_other_file(line: str, rules: Path) -> None:
    """A run could not keep it, and the hash would not tell that it has changed."""
    rules.write_text(rules.read_text().replace("import numpy as np", f"import numpy as np\n{line}"))
    with pytest.raises(GameError, match=r"mine\.py, line \d+, imports .*; rules are one file"):
        find_game(str(rules))


def test_what_rules_read_is_part_of_their_hash(rules: Path) -> None:
    """A constant from a data file, for example."""
    data = rules.with_name("data.txt")
    rules.write_text(
        rules.read_text()
        + "\nfrom pathlib import Path\nLIMIT = int(Path(__file__).with_name('data.txt').read_text())\n"
    )
    stamps = set()
    for limit in (3, 40):
        data.write_text(str(limit))
        forget_games()
        stamps.add(find_game(str(rules)).stamp)
    assert len(stamps) == 2


def test_rules_that_read_another_file_are_refused_before_a_run_keeps_them(rules: Path, tmp_path: Path) -> None:
    """The run would stop at once, and each further start, too. Its folder stays as it was."""
    rules.with_name("data.txt").write_text("3")
    text = rules.read_text()
    rules.write_text(
        f"{text}\nfrom pathlib import Path\nLIMIT = int(Path(__file__).with_name('data.txt').read_text())\n"
    )
    run = tmp_path / "run"
    says = r"a run can't keep a copy of .*/mine\.py, because the copy doesn't work: .*, line \d+: FileNotFoundError"
    with pytest.raises(GameError, match=says):
        keep_rules(str(rules), run)
    assert list(run.iterdir()) == []
    rules.write_text(text)
    forget_games()
    keep_rules(str(rules), run)


def test_actors_with_other_rules_do_not_write_into_one_file(rules: Path, tmp_path: Path) -> None:
    """Also if both were started before there was a file."""
    database = tmp_path / "replay.db"
    first = load_game_config(str(rules), database)
    edit(rules)
    second = load_game_config(str(rules), database)
    ReplayWriter(database, first.metadata, rules=first.stored_rules).close()
    with pytest.raises(ReplayError, match="are played by other rules of myttt: their hash is"):
        ReplayWriter(database, second.metadata, rules=second.stored_rules)


def test_a_database_alone_tells_how_players_are_exchanged(tmp_path: Path) -> None:
    """A game whose rules are not here is trained with the layout that its actor stored."""
    database = tmp_path / "replay.db"
    game = load_game_config("breakthrough", database)
    metadata = replace(game.metadata, env_id="elsewhere")
    ReplayWriter(database, metadata, rules=game.stored_rules).close()
    found = load_game_config("elsewhere", database)
    assert found.layout is not None
    assert game.layout is not None
    assert found.metadata == metadata
    assert found.stamp == game.stamp
    for own, other in ((found.layout.exchange, game.layout.exchange), (found.layout.actions, game.layout.actions)):
        assert own is not None
        assert own.tolist() == list(other if other is not None else [])


def test_rows_of_other_rules_are_refused(rules: Path, tmp_path: Path) -> None:
    """By whoever would add rows to them or learn from them."""
    database = tmp_path / "replay.db"
    game = load_game_config(str(rules), database)
    ReplayWriter(database, game.metadata, rules=game.stored_rules).close()
    assert load_game_config(str(rules), database).stamp == game.stamp
    edit(rules)
    with pytest.raises(
        GameError, match=r"the games in .*replay\.db were played by other rules of myttt: their hash is"
    ):
        load_game_config(str(rules), database)


def test_a_model_of_other_rules_is_refused(rules: Path, tmp_path: Path) -> None:
    """It would play, but not the game that it learned."""
    find_game(str(rules))
    publish_model(tmp_path, str(rules))
    path = tmp_path / "models" / "latest.onnx"
    ModelLoader("myttt").load(path)
    edit(rules)
    find_game(str(rules))
    with pytest.raises(ModelError, match="was trained by other rules of myttt: their hash was"):
        ModelLoader("myttt").load(path)


def test_a_trainer_refuses_games_of_other_rules_that_come_later(rules: Path, tmp_path: Path) -> None:
    """There was no database when it started."""
    database = tmp_path / "replay.db"
    trained = load_game_config(str(rules), database)
    with closing(ReplayBuffer(database, trained.metadata, stamp=trained.stamp)) as replay:
        assert replay.refresh() == 0
        edit(rules)
        played = load_game_config(str(rules), database)
        ReplayWriter(database, played.metadata, rules=played.stored_rules).close()
        with pytest.raises(ReplayError, match="are played by other rules of myttt"):
            replay.refresh()
