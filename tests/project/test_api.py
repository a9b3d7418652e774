"""The Python API: the examples in its page run, and importing the package stays light."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import PATIENCE

import trainer
from trainer.core.errors import ConfigError, GameError, ModelError

ROOT = Path(__file__).parent.parent.parent


def examples(page: str) -> str:
    """All Python blocks of a page as one program."""
    return "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL))


def test_the_examples_of_the_api_page_run(tmp_path: Path) -> None:
    """In order, in a folder of their own."""
    done = subprocess.run(
        [sys.executable, "-c", examples("docs/api.md")], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert "\ntictactoe 300\n" in done.stdout


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    """With a few steps of one thread instead of a minute."""
    (shown,) = re.findall(r"<!-- api -->\n```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    program = shown.replace("minutes=1)", "steps=60, threads=1)")
    assert program != shown
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs/again/models/latest.onnx").exists()


def test_a_model_keeps_one_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest that was asked for; it answers to fewer simulations as one of their size does."""
    from small_models import write_model

    from trainer import api

    made: list[int] = []
    search = api.Search

    def noted(env_id: str, slots: int, most_simulations: int, config: trainer.SearchConfig) -> trainer.Search:
        made.append(most_simulations)
        return search(env_id, slots, most_simulations, config)

    monkeypatch.setattr(api, "Search", noted)
    model = trainer.load_model(write_model(tmp_path / "model.onnx", "tictactoe", seed=1), env_id="tictactoe")
    position = trainer.new_position("tictactoe").play(4)
    first, _, again, _ = (model.analyse(position, simulations) for simulations in (20, 60, 20, 40))
    assert made == [20, 60]
    assert again == first


def test_a_model_shows_itself(tmp_path: Path) -> None:
    """As a notebook writes it: its game, its step if the file says it, and the file."""
    from run_files import model_bytes

    path = tmp_path / "model.onnx"
    path.write_bytes(model_bytes("connect4", step=12_000))
    assert repr(trainer.load_model(path)) == f"Model(connect4, step 12,000, {path})"
    path.write_bytes(model_bytes("connect4"))
    assert repr(trainer.load_model(path, env_id="connect4")) == f"Model(connect4, {path})"


def test_two_threads_may_use_one_model(tmp_path: Path) -> None:
    """While one waits for an evaluation, another analyses another position: both find what they would find alone."""
    from threading import Thread

    from small_models import write_model

    from trainer.evaluators.interface import FunctionEvaluator

    alone = trainer.load_model(write_model(tmp_path / "model.onnx", "tictactoe", seed=1), env_id="tictactoe")
    one, other = trainer.new_position("tictactoe").play(4), trainer.new_position("tictactoe").play(0)
    found: list[trainer.MoveChoice] = []
    threads: list[Thread] = []

    def interrupted(observation, legal):  # type: ignore[no-untyped-def]
        if not threads:
            threads.append(Thread(target=lambda: found.append(model.analyse(other, 40))))
            threads[0].start()
            threads[0].join()
        return alone.evaluator(observation, legal)

    model = trainer.Model(FunctionEvaluator(interrupted), alone.loader)
    assert model.analyse(one, 40) == alone.analyse(one, 40)
    assert found == [alone.analyse(other, 40)]


def test_many_positions_are_analysed_as_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 256 side by side, with and without a search."""
    from small_models import write_model

    from trainer import api

    slots: list[int] = []
    search = api.Search

    def noted(env_id: str, side_by_side: int, simulations: int, config: trainer.SearchConfig) -> trainer.Search:
        slots.append(side_by_side)
        return search(env_id, side_by_side, simulations, config)

    model = trainer.load_model(write_model(tmp_path / "model.onnx", "tictactoe", seed=1), env_id="tictactoe")
    positions = [trainer.new_position("tictactoe").play(action) for action in range(9)]
    for simulations in (0, 40):
        for found, position in zip(model.analyse_all(positions, simulations, most=2), positions, strict=True):
            alone = model.analyse(position, simulations)
            assert (found.best, found.line[0]) == (alone.best, alone.best)
            assert found.value == pytest.approx(alone.value)
            assert {move.action: move.share for move in found.moves} == pytest.approx(alone.policy)
            assert len(found.line) <= 2
    monkeypatch.setattr(api, "Search", noted)
    assert len(model.analyse_all(positions * 30, 1)) == 270
    assert model.analyse_all([]) == []
    assert slots == [256]


def test_many_positions_are_refused_by_number(tmp_path: Path) -> None:
    """If one is of another game or finished."""
    from small_models import write_model

    model = trainer.load_model(write_model(tmp_path / "model.onnx", "tictactoe", seed=1), env_id="tictactoe")
    first = over = trainer.new_position("tictactoe")
    for action in (0, 3, 1, 4, 2):
        over = over.play(action)
    with pytest.raises(GameError, match=r"^position 1 is finished; no move can be made there$"):
        model.analyse_all([first, over])
    with pytest.raises(GameError, match=r"^position 0 is of connect4, but the model plays tictactoe$"):
        model.analyse_all([trainer.new_position("connect4"), first])
    with pytest.raises(GameError, match=r"^simulations is -1; 0 or more is needed$"):
        model.analyse_all([first], -1)


def test_a_run_that_is_resumed_keeps_the_growth_of_its_searches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if its number of simulations is given once more, as with `cartridge loop`."""
    from trainer import api
    from trainer.launch import local
    from trainer.run.folder import RunFolder
    from trainer.run.record import LOOP, write_record

    asked: list[trainer.LoopConfig] = []
    monkeypatch.setattr(local, "run_loop", lambda config, stop: asked.append(config))
    monkeypatch.setattr(api, "load_model", lambda path: None)
    trainer.learn("connect4", tmp_path, minutes=1)
    write_record(RunFolder(tmp_path).record, LOOP, asked[0])
    trainer.learn("connect4", tmp_path, resume=True, simulations=150, minutes=2)
    trainer.learn("connect4", tmp_path, resume=True, simulations=50)
    searches = [(config.first_simulations, config.simulations, config.minutes) for config in asked]
    assert searches == [(50, 150, 1), (50, 150, 2), (None, 50, 1)]


def test_a_run_that_is_to_be_resumed_begins_if_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the recipe, as with `cartridge loop --env-id tictactoe --resume`."""
    from trainer import api
    from trainer.launch import local
    from trainer.loop import config_from

    asked: list[trainer.LoopConfig] = []
    monkeypatch.setattr(local, "run_loop", lambda config, stop: asked.append(config))
    monkeypatch.setattr(api, "load_model", lambda path: None)
    trainer.learn("tictactoe", tmp_path, resume=True, steps=5)
    words = ["--env-id", "tictactoe", "--data-dir", str(tmp_path), "--resume", "--steps", "5"]
    assert asked == [config_from(words)]


def test_a_setting_that_is_none_is_named(tmp_path: Path) -> None:
    """With the one that was probably meant, before anything is made."""
    with pytest.raises(ConfigError, match=r"^there is no setting simulation; the most similar one is simulations$"):
        trainer.learn("tictactoe", tmp_path / "run", steps=5, simulation=100)
    assert not (tmp_path / "run").exists()


def test_every_public_name_is_there_and_documented() -> None:
    """Loading it gives an object, and the page's last table names it."""
    _, table = (ROOT / "docs" / "api.md").read_text().split("## All names")
    assert set(re.findall(r"`(\w+)`", re.sub(r"(?m)^\| ([^|]*) \|.*$", r"\1", table))) == set(trainer.__all__)
    for name in trainer.__all__:
        assert getattr(trainer, name) is not None
        assert name in dir(trainer)
    with pytest.raises(AttributeError, match="module 'trainer' has no attribute 'lern'; it has ENV_IDS, "):
        trainer.lern  # noqa: B018


def test_importing_the_package_loads_nothing_heavy() -> None:
    """No NumPy, no Numba, no torch; a model is loaded and asked without torch."""
    program = "import sys, trainer; print(sorted({'numpy', 'numba', 'torch', 'onnxruntime'} & set(sys.modules)))"
    program += "\ntrainer.load_model; trainer.new_position('connect4'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == "[]\nFalse\n", done.stderr


def test_a_model_without_its_game_must_be_told_it(tmp_path: Path) -> None:
    """And a missing file or a position of another game says so."""
    import numpy as np
    from small_models import linear_model

    path = tmp_path / "foreign.onnx"
    path.write_bytes(linear_model(np.eye(29, 9, dtype=np.float32)))
    with pytest.raises(
        ModelError, match=r"isn't an ONNX model that names its game; give such a file, or the game: load_model"
    ):
        trainer.load_model(path)
    model = trainer.load_model(path, env_id="tictactoe")
    with pytest.raises(GameError, match="the position is of connect4, but the model plays tictactoe"):
        model.best_move(trainer.new_position("connect4"))
    over = trainer.new_position("tictactoe")
    for action in (0, 3, 1, 4, 2):
        over = over.play(action)
    with pytest.raises(GameError, match="the position is finished"):
        model.best_move(over)
    with pytest.raises(ModelError, match="there is no model at"):
        trainer.load_model(tmp_path / "missing.onnx")


@pytest.mark.parametrize(("games", "simulations"), [(0, 0), (-1, 0), (2, -1)])
def test_a_match_needs_numbers_that_can_be(games: int, simulations: int, tmp_path: Path) -> None:
    """One sentence, as for every wrong setting."""
    from small_models import write_model

    model = trainer.load_model(write_model(tmp_path / "model.onnx", "tictactoe", seed=1), env_id="tictactoe")
    with pytest.raises(ConfigError, match=f"games is {games} and simulations {simulations}; give at least"):
        trainer.play_match(model, games=games, simulations=simulations)


def test_two_models_of_one_file_name_are_told_apart(tmp_path: Path) -> None:
    """Also if the opponent is given by its path."""
    from small_models import write_model

    one, two = (write_model(tmp_path / name / "model.onnx", "tictactoe", seed=1) for name in ("one", "two"))
    model = trainer.load_model(one, env_id="tictactoe")
    for opponent in (two, str(two), trainer.load_model(two, env_id="tictactoe")):
        match = trainer.play_match(model, opponent, games=2)
        assert (match.player, match.opponent) == ("ONNX(one/model.onnx)", "ONNX(two/model.onnx)")
    with pytest.raises(ConfigError, match="seed is -1"):
        trainer.play_match(model, two, seed=-1)


def test_an_opponent_by_its_path_is_evaluated_as_the_model_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the same device: what evaluates the model is made for the opponent, too, and plays."""
    from small_models import write_model

    from trainer import api
    from trainer.evaluators.interface import FunctionEvaluator
    from trainer.evaluators.loader import ModelLoader
    from trainer.evaluators.onnx_file import OnnxEvaluator
    from trainer.settings.groups.device import EvaluationSettings

    asked: list[str] = []

    def accelerated(content: bytes, original: OnnxEvaluator) -> FunctionEvaluator:
        def noted(observation, legal):  # type: ignore[no-untyped-def]
            asked.append(Path(original.source).stem)
            return original(observation, legal)

        return FunctionEvaluator(noted, original.source)

    def fake(env_id: str, settings: EvaluationSettings) -> ModelLoader:
        return ModelLoader(env_id, accelerated if settings.device == "cuda" else None)

    monkeypatch.setattr(api, "loader_for", fake)
    one, two = (write_model(tmp_path / f"{name}.onnx", "tictactoe", seed=1) for name in ("one", "two"))
    trainer.play_match(trainer.load_model(one, env_id="tictactoe", device="cuda"), two, games=2)
    assert set(asked) == {"one", "two"}
    asked.clear()
    trainer.play_match(trainer.load_model(one, env_id="tictactoe"), two, games=2)
    assert asked == []


def test_a_model_of_another_game_is_no_opponent(tmp_path: Path) -> None:
    """The message names both games."""
    from small_models import write_model

    ours, theirs = (
        trainer.load_model(write_model(tmp_path / f"{game}.onnx", game, seed=1), env_id=game)
        for game in ("tictactoe", "connect4")
    )
    with pytest.raises(GameError, match=r"^the opponent plays connect4, the player tictactoe$"):
        trainer.play_match(ours, theirs, games=2)


def test_a_model_file_runs_no_code(tmp_path: Path) -> None:
    """Its game must be installed, or known to this process; a path or another name is refused in one sentence."""
    import onnx
    from small_models import write_model

    path = write_model(tmp_path / "model.onnx", "tictactoe", seed=1)
    evil = tmp_path / "evil.py"
    evil.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    model = onnx.load(path)
    for name in (str(evil), f"hex:{evil}", f"{evil}:size=3", "nobodys"):
        onnx.helper.set_model_props(model, {"env_id": name})
        onnx.save(model, path)
        with pytest.raises(
            ModelError, match=r"model\.onnx is a model of '.*, a game that is not installed; name the file"
        ):
            trainer.load_model(path)
    assert not (tmp_path / "ran").exists()


def test_a_model_file_may_name_a_game_that_is_installed_or_known(tmp_path: Path) -> None:
    """In a new process one of the package with parameters, and one of our own once it was named."""
    from small_models import write_model

    own = ROOT / "tests" / "support" / "own_games" / "myttt.py"
    write_model(tmp_path / "hex.onnx", "hex:size=3", seed=1, step=1)
    write_model(tmp_path / "own.onnx", trainer.game_of(str(own)).env_id, seed=1, step=1)
    program = f"""import trainer
print(trainer.load_model("hex.onnx").env_id)
try:
    trainer.load_model("own.onnx")
except trainer.TrainerError as error:
    print(error)
trainer.game_of({str(own)!r})
print(trainer.load_model("own.onnx").env_id)"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    first, refused, last = done.stdout.splitlines()
    assert (first, last) == ("hex:size=3", "myttt")
    assert refused.startswith(
        "own.onnx is a model of 'myttt', a game that is not installed; name the file with its rules"
    )


def test_a_models_first_choice_is_the_largest_legal_logit(tmp_path: Path) -> None:
    """A model that likes cell 8 if X holds cell 0, until 8 is taken."""
    import numpy as np
    from small_models import linear_model

    weights = np.zeros((29, 9), np.float32)
    weights[0, 8], weights[0, 7] = 5, 3
    path = tmp_path / "model.onnx"
    path.write_bytes(linear_model(weights))
    model = trainer.load_model(path, env_id="tictactoe")
    position = trainer.new_position("tictactoe").play(0)
    assert model.best_move(position) == 8
    assert model.best_move(position.play(8)) == 7
    policy = model.analyse(position).policy
    assert set(policy) == set(position.legal)
    assert sum(policy.values()) == pytest.approx(1)
    winning = position.play(3).play(1).play(4)
    assert model.best_move(winning, simulations=50) == 2
