"""A custom network trains, is published and plays like those of the package; mistakes in it are named."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from conftest import ForeignDatabase
from run_files import trainer_config

from trainer.core.errors import ConfigError, DeviceError, ModelError, TrainerError
from trainer.evaluators.acceleration import distance, random_play
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.export import Exporter, begin_with
from trainer.export.stored import StoredNetwork, Weights
from trainer.game_config import GameConfig, metadata_of
from trainer.games import game_of
from trainer.games.layout import layout_of
from trainer.gpu.evaluator import TorchAccelerator
from trainer.network import CustomNetwork, NetworkFile, create_network
from trainer.settings.trainer import TrainerConfig
from trainer.trainer import Trainer
from trainer.training.learner import Learner
from trainer.training.run_state import RunState

PAGE = Path(__file__).parents[2] / "docs" / "own-network.md"
ATTENTION = """
import torch
from torch import nn
from trainer.network import AllPlanes


class Net(nn.Module):
    def __init__(self, layout, width, blocks):
        super().__init__()
        self.planes = AllPlanes(layout)
        self.blocks = nn.Sequential(*(nn.Linear(width, width) for _ in range(blocks)))
        self.embed = nn.Linear(self.planes.planes, width)
        self.place = nn.Embedding(layout.cells, width)
        self.register_buffer("cells", torch.arange(layout.cells))
        self.register_buffer("scale", torch.full((1,), 0.5), persistent=False)
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 2, dropout=0.1, batch_first=True)
        self.policy = nn.Linear(width * layout.cells, layout.num_actions)
        self.value = nn.Linear(width, 1)

    def forward(self, view):
        tokens = self.embed(self.planes(view).flatten(2).transpose(1, 2)) + self.place(self.cells) * self.scale
        seen = self.norm(tokens)
        tokens = tokens + self.attention(seen, seen, seen, need_weights=False)[0]
        return self.policy(tokens.flatten(1)), torch.tanh(self.value(self.blocks(tokens).mean(dim=1)))


def network(layout, width, blocks):
    return Net(layout, width, blocks)
"""
LINEAR = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, size, actions):
        super().__init__()
        self.both = nn.Linear(size, actions + 1)

    def forward(self, view):
        answers = self.both(view)
        return answers[:, :-1], {value}


def network(layout, width, blocks):
    return Net(layout.view_size, {actions})
"""


def linear(value: str = "torch.tanh(answers[:, -1:])", actions: str = "layout.num_actions") -> str:
    """A small network whose value, or whose number of actions, can be wrong."""
    return LINEAR.format(value=value, actions=actions)


def masked(number: str) -> str:
    """The same for tic-tac-toe, with this number as the logit of illegal moves."""
    return linear().replace("answers[:, :-1],", f"answers[:, :-1].masked_fill(view[:, 18:27] == 0, {number}),")


def example() -> str:
    """The file of docs/own-network.md, with batch normalization."""
    (code,) = re.findall(r"<!-- file: mynet.py -->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(code)


def with_loss() -> str:
    """The same file with the loss of its own that the page appends."""
    (code,) = re.findall(r"<!-- appended to mynet.py -->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return f"{example()}\n\n{code}"


def written(folder: Path, text: str) -> Path:
    """A file with a network."""
    path = folder / "mynet.py"
    path.write_text(text)
    return path


def network_of(path: Path, env_id: str, blocks: int = 1) -> CustomNetwork:
    """The network of a file, with random weights."""
    torch.manual_seed(0)
    game = game_of(env_id)
    return CustomNetwork(NetworkFile(path), metadata_of(game), layout_of(game), 8, blocks)


def weights_in(content: bytes) -> Weights:
    """The weights in a model file."""
    return StoredNetwork.read(content).weights


def rows_of(env_id: str) -> tuple[np.ndarray, np.ndarray]:
    """Observations and legal moves of random games."""
    return random_play(env_id, seed=2)


def learned(learner: Learner, env_id: str, steps: int = 3) -> None:
    """Some steps on positions of random games, with legal moves as likely as any."""
    from trainer.replay import Batch

    observation, legal = rows_of(env_id)
    visits = (legal / legal.sum(axis=1, keepdims=True)).astype(np.float32)
    outcome = np.where(np.arange(len(legal)) % 2, 1, -1).astype(np.float32)
    for _ in range(steps):
        learner.learn(Batch(observation, legal, visits, outcome), 0.01)


@pytest.mark.parametrize(
    ("env_id", "text"),
    # Planes that are swapped, a view that exchanges cells and actions, and one with features and the seat.
    [("connect4", example()), ("hex:size=4", ATTENTION), ("go:size=4", example()), ("hex:size=4", with_loss())],
    ids=["connect4", "hex", "go", "loss"],
)
def test_models_answer_as_the_network_does_after_each_training(env_id: str, text: str, tmp_path: Path) -> None:
    """In ONNX Runtime, and evaluated by torch with the file; with normalization, dropout and averaged weights."""
    game, (observation, legal) = game_of(env_id), rows_of(env_id)
    network = network_of(written(tmp_path, text), env_id)
    learner = Learner(network, TrainerConfig(average=0.5, lr=0.01))
    exporter = Exporter(learner.published, metadata_of(game))
    priors = []
    for step in (1, 2):
        learned(learner, env_id)
        content = exporter.to_bytes(step, observation)
        model = OnnxEvaluator(content, "some.onnx", env_id)
        answers = model(observation, legal)
        device = TorchAccelerator(env_id, torch.device("cpu"), "fp32", 64, file=NetworkFile(tmp_path / "mynet.py"))
        assert distance(device(content, model)(observation, legal), answers) < 1e-5
        with torch.no_grad():
            logits, value = learner.published(torch.from_numpy(observation))
        expected = logits.masked_fill(~torch.from_numpy(legal), -torch.inf).softmax(dim=1).nan_to_num()
        assert distance((expected.numpy(), value[:, 0].numpy()), answers) < 1e-5
        priors.append(answers)
    assert distance(*priors) > 1e-4, "the second model has the weights of the first"


def test_running_means_of_a_normalization_are_averaged_as_the_weights_are(tmp_path: Path) -> None:
    """They belong to the weights that they were measured with. What is no number in between is copied."""
    network = network_of(written(tmp_path, example()), "connect4")
    network.register_buffer("mask", torch.tensor([0.0, -torch.inf]))
    learner = Learner(network, TrainerConfig(average=0.5))
    average = {name: part.clone() for name, part in network.named_buffers() if "running" in name}
    assert len(average) == 4
    for step in range(1, 4):
        learned(learner, "connect4", steps=1)
        for name, part in average.items():
            own = learner.network.get_buffer(name)
            part.lerp_(own, 10 / (10 + step))
            torch.testing.assert_close(learner.published.get_buffer(name), part)
            assert not torch.equal(own, part)
    for name in (*(one for one in dict(network.named_buffers()) if one.endswith("batches_tracked")), "mask"):
        assert torch.equal(learner.published.get_buffer(name), learner.network.get_buffer(name))


def test_a_model_says_nothing_about_the_machine_that_made_it(tmp_path: Path) -> None:
    """torch's exporter notes the lines of the source files that an operation came from."""
    path = written(tmp_path, linear())
    content = Exporter(network_of(path, "tictactoe"), metadata_of(game_of("tictactoe"))).to_bytes(
        1, np.zeros((1, 29), np.float32)
    )
    for place in (str(tmp_path), "mynet", "site-packages", str(Path(torch.__file__).parent)):
        assert place.encode() not in content
    model = onnx.load_from_string(content)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert (metadata["architecture"], metadata["network_width"], metadata["network_blocks"]) == (
        "PolicyValueNet",
        "8",
        "1",
    )
    assert metadata["network_file"] == NetworkFile(path).stamp


def test_a_run_trains_it_keeps_it_and_goes_on_with_it_alone(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """Its copy lies beside the models. After an edit the copy goes on, the edited file doesn't."""
    path = written(tmp_path, linear())
    config = trainer_config(tmp_path, steps=10, max_wait=0.3, network_file=path)
    assert Trainer(config).train().step == 10
    copy = config.model_dir / "checkpoint-network.py"
    assert copy.read_text() == linear()
    allowed = r"model_step_\d{6,}\.onnx|latest\.onnx|checkpoint.*"  # by the contract
    assert all(re.fullmatch(allowed, file.name) for file in config.model_dir.iterdir())
    path.write_text(linear() + "# edited\n")

    def resumed(file: Path) -> int:
        return Trainer(trainer_config(tmp_path, steps=20, max_wait=0.3, network_file=file, resume=True)).train().step

    with pytest.raises(ConfigError, match=r"mynet\.py isn't the file that the run began with; go on with its copy"):
        resumed(path)
    assert resumed(copy) == 20
    assert copy.read_text() == linear()
    Trainer(config).train()
    assert copy.read_text().endswith("# edited\n")
    (old,) = config.model_dir.glob("old-*/checkpoint-network.py")
    assert old.read_text() == linear()
    Trainer(replace(config, network_file=None)).train()
    assert not copy.exists()
    with pytest.raises(ConfigError, match="began without --network-file; leave it out to go on"):
        resumed(path)


def test_a_run_is_resumed_without_naming_the_file(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, call_main: Callable[..., int]
) -> None:
    """After an edit, too: run.json names the copy, by a path that moves with the folder."""
    path, run = written(tmp_path, linear()), tmp_path / "run"
    places = {"model_dir": run / "models", "stats": run / "stats.json"}
    Trainer(trainer_config(tmp_path, steps=4, max_wait=0.3, network_file=path, **places)).train()
    path.write_text("not Python any more")
    for steps in (6, 8):
        run = run.rename(tmp_path / f"run-{steps}")
        assert call_main("trainer.__main__", "--stats", run / "stats.json", "--resume", "--steps", steps) == 0
        assert json.loads((run / "stats.json").read_text())["step"] == steps
        settings = json.loads((run / "run.json").read_text())["train"]["settings"]
        assert settings["network_file"] == "models/checkpoint-network.py"


OWN_LOSS = """
from trainer.network import Loss, alphazero_loss


def loss(module, batch):
    logits, value = module(batch.view)
    whole = alphazero_loss(logits, value, batch.legal, batch.policy_target, batch.value_target)
    return {returned}
"""


@pytest.mark.parametrize("env_id", ["tictactoe", "hex:size=4"])
def test_a_loss_of_its_own_gets_the_batch_from_the_movers_side(env_id: str, tmp_path: Path) -> None:
    """Written out, AlphaZero's loss has the gradient that it has without the function, also where actions are exchanged.
    A loss of its value alone leaves the policy's weights without a gradient."""
    observation, legal = (torch.from_numpy(part) for part in rows_of(env_id))
    visits = torch.rand(legal.shape, generator=torch.manual_seed(3)) * legal
    visits /= visits.sum(dim=1, keepdim=True)
    outcome = torch.rand(len(legal), generator=torch.manual_seed(4)) * 2 - 1
    gradients = []
    for loss in ("", OWN_LOSS.format(returned="whole"), OWN_LOSS.format(returned="Loss(whole.value, *whole[1:])")):
        network = network_of(written(tmp_path, linear() + loss), env_id)
        network.loss(observation, legal, visits, outcome).total.backward()  # type: ignore[no-untyped-call]
        gradients.append(network.get_parameter("inner.both.weight").grad)
    plain, own, of_value = (part for part in gradients if part is not None)
    assert torch.allclose(plain, own, atol=1e-6)
    assert plain[:-1].abs().max() > 1e-3
    assert of_value[:-1].abs().max() == 0


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        ("Loss(whole.total, whole.policy * torch.nan, whole.value)", r"\(policy nan, value \d"),
        ("Loss(whole.total, whole.policy, whole.value + torch.inf)", r"\(policy \d.*, value inf\)"),
    ],
)
def test_a_part_of_a_loss_that_is_not_finite_stops_training(
    tictactoe_rows: ForeignDatabase, tmp_path: Path, returned: str, says: str
) -> None:
    """It could neither be stored nor shown. The message has all three numbers."""
    path = written(tmp_path, linear() + OWN_LOSS.format(returned=returned))
    with pytest.raises(
        TrainerError, match=rf"at step 1 are not finite: the loss is \d\S+ {says}.* no model was published"
    ):
        Trainer(trainer_config(tmp_path, steps=2, max_wait=0.3, network_file=path)).train()


def test_a_loss_of_an_earlier_version_trains_on(tmp_path: Path) -> None:
    """A run keeps its file, in which the targets may have the names that they had then."""
    loss = OWN_LOSS.format(returned="whole")
    weights = []
    for text in (
        loss,
        loss.replace("batch.policy_target", "batch.policy").replace("batch.value_target", "batch.value"),
    ):
        learner = Learner(network_of(written(tmp_path, linear() + text), "tictactoe"), TrainerConfig())
        learned(learner, "tictactoe", steps=1)
        weights.append(learner.network.state_dict()["inner.both.weight"])
    assert torch.equal(*weights)


@pytest.mark.parametrize("part", ["answer", "loss"])
def test_a_tensor_of_another_device_is_named_before_training(part: str, tmp_path: Path) -> None:
    """In the module or in the loss. On the CPU nothing is wrong with it."""
    if part == "answer":
        text = linear("torch.tanh(answers[:, -1:]) * torch.ones(len(view), 1)")
    else:
        nothing = "0 * (batch.value_target * torch.ones(len(batch.view))).sum()"
        text = linear() + OWN_LOSS.format(returned=f"Loss(whole.total + {nothing}, *whole[1:])")
    line = 1 + text.splitlines().index(next(one for one in text.splitlines() if "torch.ones" in one))
    game, network = metadata_of(game_of("tictactoe")), network_of(written(tmp_path, text), "tictactoe")
    with pytest.raises(ConfigError, match=rf"^--network-file .*mynet\.py, line {line}: RuntimeError: .*device"):
        RunState(TrainerConfig(env_id="tictactoe"), GameConfig(game), network, torch.device("meta"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), "the memory of the GPU is full during the start of training"),
        (RuntimeError("CUDA error: unspecified launch failure"), "the GPU failed during the start of training"),
    ],
)
def test_a_device_that_fails_while_a_network_is_tried_is_no_mistake_of_the_file(
    error: RuntimeError, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an error of the device, with what to do."""
    network = network_of(written(tmp_path, linear()), "tictactoe")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(CustomNetwork, "loss", fail)
    with pytest.raises(DeviceError, match=words):
        RunState(
            TrainerConfig(env_id="tictactoe"),
            GameConfig(metadata_of(game_of("tictactoe"))),
            network,
            torch.device("meta"),
        )


def test_trying_a_step_changes_nothing(tmp_path: Path) -> None:
    """Neither weights nor running means nor gradients."""
    network = network_of(written(tmp_path, with_loss()), "tictactoe")
    before = {name: part.clone() for name, part in network.state_dict().items()}
    network.try_step(metadata_of(game_of("tictactoe")))
    assert all(torch.equal(part, before[name]) for name, part in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    network.to("meta").try_step(metadata_of(game_of("tictactoe")))


def test_weights_that_only_the_loss_uses_learn_but_are_not_published(tmp_path: Path) -> None:
    """They go on from a checkpoint. A model with the rest of the weights can be started from."""
    network = network_of(written(tmp_path, with_loss()), "tictactoe")
    before = network.state_dict()["inner.soft.weight"].clone()
    learner = Learner(network, TrainerConfig(lr=0.01))
    learned(learner, "tictactoe")
    assert not torch.equal(before, learner.network.state_dict()["inner.soft.weight"])
    content = Exporter(learner.network, metadata_of(game_of("tictactoe"))).to_bytes(1, rows_of("tictactoe")[0])
    assert "inner.policy.weight" in weights_in(content)
    assert "inner.soft.weight" not in weights_in(content)
    start = tmp_path / "start.onnx"
    start.write_bytes(content)
    begin_with(network_of(tmp_path / "mynet.py", "tictactoe"), start, "tictactoe")
    other = Learner(network_of(tmp_path / "mynet.py", "tictactoe"), TrainerConfig(lr=0.01))
    other.restore(learner.state())
    assert torch.equal(
        other.network.state_dict()["inner.soft.weight"], learner.network.state_dict()["inner.soft.weight"]
    )


def test_a_run_of_an_earlier_version_goes_on_with_its_copy(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """Which has another name there. A new run sets it aside."""
    path = written(tmp_path, linear())
    config = trainer_config(tmp_path, steps=10, max_wait=0.3, network_file=path)
    Trainer(config).train()
    former = (config.model_dir / "checkpoint-network.py").rename(config.model_dir / "network.py")
    longer = replace(config, steps=20, resume=True)
    path.write_text(linear() + "# edited\n")
    with pytest.raises(ConfigError, match=r"go on with its copy, --network-file .*/network\.py"):
        Trainer(longer).train()
    assert Trainer(replace(longer, network_file=former)).train().step == 20
    Trainer(replace(config, network_file=None)).train()
    (old,) = config.model_dir.glob("old-*/network.py")
    assert old.read_text() == linear()
    assert not former.exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            linear() + "loss = 3\n",
            "mynet.py is an object of type int; it is the name of a function loss(module, batch)",
        ),
        (
            linear() + OWN_LOSS.format(returned="whole.total"),
            "returned float32 []; a trainer.network.Loss of three single",
        ),
        (
            linear() + OWN_LOSS.format(returned="Loss(*(part.detach() for part in whole))"),
            "total that depends on the weights",
        ),
        (linear() + OWN_LOSS.format(returned="Loss(value, *whole[1:])"), "returned float32 [2, 1] and float32 [] and"),
        (linear() + OWN_LOSS.format(returned="whole / 0"), "line 25: TypeError"),
        ("", "has no function network(layout, width, blocks)"),
        ("x = 1\nthis isnt right\n", "line 2: SyntaxError: invalid syntax"),
        ("\n\n1 / 0\n", "line 3: ZeroDivisionError: division by zero"),
        ("def network(layout, width, blocks):\n    return 5\n", "returned an object of type int; a torch.nn"),
        ("def network(layout, width, blocks):\n    return layout.nothing\n", "line 2: AttributeError"),
        (
            linear(actions="3"),
            "answers 2 positions with float32 [2, 3] and float32 [2, 1]; policy logits, float32 [2, 9]",
        ),
        (linear("answers[:, -1]"), "with float32 [2, 9] and float32 [2]; policy logits"),
        (linear("None"), "with float32 [2, 9] and a NoneType; policy logits"),
        (linear("answers @ view"), "line 13: RuntimeError: mat1 and mat2"),
        (
            linear().replace("self.both(view)", "view[:, :10]").replace("nn.Linear(size, actions + 1)", "None"),
            "no weights",
        ),
        (masked("-torch.inf"), "answers NaN or infinity to an empty observation, which is all zeros; answers must be"),
        (linear("answers[:, -1:] / view.sum()"), "answers NaN or infinity to an empty observation"),
        (linear().replace("answers =", "self.answers = answers ="), "can't be copied (Only Tensors created explicitly"),
        (
            linear().replace("nn.Linear(size, actions + 1)", "nn.utils.weight_norm(nn.Linear(size, actions + 1))"),
            "can't be copied (Only Tensors created explicitly",
        ),
        (
            linear().replace("answers =", "assert not self.training\n        answers ="),
            "line 12: AssertionError",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
def test_mistakes_are_named(text: str, says: str, tmp_path: Path) -> None:
    """With the file, and the line if there is one."""
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=re.escape(says)) as caught:
        network_of(path, "tictactoe")
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """One sentence."""
    with pytest.raises(ConfigError, match=r"nothing\.py can't be read \(No such file or directory\)"):
        NetworkFile(tmp_path / "nothing.py")


def exported(path: Path, answers: np.ndarray | None = None) -> bytes:
    """The model of a file for tic-tac-toe."""
    sample = np.ones((2, 29), np.float32) if answers is None else answers
    return Exporter(network_of(path, "tictactoe"), metadata_of(game_of("tictactoe"))).to_bytes(1, sample)


def test_values_beyond_the_range_are_not_published(tmp_path: Path) -> None:
    """Whoever forgets torch.tanh is told so."""
    with pytest.raises(ModelError, match=r"a value of .*, and values are from -1 to 1: end it with torch.tanh"):
        exported(written(tmp_path, linear("5 + answers[:, -1:]")))


def test_a_wrong_translation_is_found_beside_masked_logits(tmp_path: Path) -> None:
    """Differences are relative to the largest logit of a legal move, not to the -1e9 of the others."""
    observation, _ = rows_of("tictactoe")
    network = network_of(written(tmp_path, masked("-1e9")), "tictactoe")
    exporter = Exporter(network, metadata_of(game_of("tictactoe")))
    content = exporter.to_bytes(1, observation)
    with torch.no_grad():
        network.get_parameter("inner.both.bias")[0] += 0.1  # from here on torch answers otherwise than the file
    with pytest.raises(ModelError, match=r"policy_logits differs from torch's by 0\.1; it was not published"):
        exporter.check(content, observation)
    with torch.no_grad():
        network.get_parameter("inner.both.bias")[0] = torch.nan
    with pytest.raises(ModelError, match=r"policy_logits differs from torch's by nan; it was not published"):
        exporter.check(content, observation)


def test_what_torch_cannot_export_is_reported(tmp_path: Path) -> None:
    """A branch that depends on the numbers of a position."""
    text = linear().replace("answers = self.both(view)", "answers = self.both(view if view.sum() > 3 else 2 * view)")
    with pytest.raises(
        ModelError, match=r"torch can't export the network of --network-file .*mynet\.py to ONNX \(.+\);"
    ):
        exported(written(tmp_path, text))


def test_a_network_that_makes_a_number_of_how_many_positions_there_are(tmp_path: Path) -> None:
    """Torch's exporter then makes it a constant, and says nothing. `view.shape[0]` stays what it is."""
    many = "torch.zeros({rows}, 1).expand(-1, 2).sum(1, keepdim=True) + self.both(view)"
    for rows, constant in (("view.shape[0]", False), ("len(view)", True)):
        text = linear().replace("self.both(view)", many.format(rows=rows))
        if constant:
            with pytest.raises(ModelError, match=r"mynet\.py for 3 positions only; .* write view\.shape\[0\]$"):
                exported(written(tmp_path, text))
        else:
            exported(written(tmp_path, text))


def test_without_torchs_exporter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the command that installs it."""
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ConfigError, match="pip install 'onnxscript"):
        exported(written(tmp_path, linear()))


@pytest.mark.parametrize(
    ("given", "says"),
    [(None, "name the file with --network-file"), (linear() + "# edited\n", "and --network-file .* has [0-9a-f]{16}")],
)
def test_torch_evaluates_a_model_with_its_file_only(given: str | None, says: str, tmp_path: Path) -> None:
    """No model file says which code runs."""
    content = exported(written(tmp_path, linear()))
    model = OnnxEvaluator(content, "some.onnx", "tictactoe")
    file: Any = NetworkFile(written(tmp_path, given)) if given else None
    with pytest.raises(ModelError, match=says):
        TorchAccelerator("tictactoe", torch.device("cpu"), "fp32", 64, file=file)(content, model)


def test_the_layout_must_be_known(tmp_path: Path) -> None:
    """Without it nobody can say what the numbers of a view mean."""
    game = metadata_of(game_of("tictactoe"))
    with pytest.raises(ConfigError, match=r"layout of tictactoe's observations is unknown"):
        CustomNetwork(NetworkFile(written(tmp_path, linear())), game, None, 8, 1)


def test_a_run_with_dropout_goes_on_as_if_it_had_not_been_interrupted(
    tictactoe_rows: ForeignDatabase, tmp_path: Path
) -> None:
    """The random numbers of torch are part of a checkpoint."""
    path = written(tmp_path, ATTENTION)

    def trained(name: str, steps: int, resume: bool = False) -> bytes:
        folder = tmp_path / name
        config = TrainerConfig(
            db=tmp_path / "replay.db", model_dir=folder / "models", stats=folder / "stats.json", max_wait=0.3
        )
        changes = {"steps": steps, "resume": resume, "network_file": path, "width": 8, "lr_schedule": False}
        Trainer(replace(config, **changes)).train()
        return (folder / "models" / "latest.onnx").read_bytes()

    trained("interrupted", 4)
    assert weights_in(trained("interrupted", 8, resume=True)).keys() == weights_in(trained("whole", 8)).keys()
    both = [weights_in((tmp_path / name / "models" / "latest.onnx").read_bytes()) for name in ("interrupted", "whole")]
    assert all(torch.equal(values, both[1][name]) for name, values in both[0].items())


def test_a_run_cannot_begin_with_a_part_of_a_network(tmp_path: Path) -> None:
    """A model of one block has no weights for the second one."""
    path, start = written(tmp_path, ATTENTION), tmp_path / "start.onnx"
    game = metadata_of(game_of("tictactoe"))
    start.write_bytes(Exporter(network_of(path, "tictactoe"), game).to_bytes(1, np.zeros((1, 29), np.float32)))
    begin_with(network_of(path, "tictactoe"), start, "tictactoe")
    with pytest.raises(
        ModelError, match=r"can't begin with --start-from .*: it lacks the weights inner\.blocks\.1\.weight"
    ):
        begin_with(network_of(path, "tictactoe", blocks=2), start, "tictactoe")


def test_parts_that_a_file_freezes_stay_frozen(tmp_path: Path) -> None:
    """A new network is tried in evaluation mode, and has its modes back after that."""
    frozen = example().replace(
        "return Net(layout, width)", "net = Net(layout, width)\n    net.body[2].eval()\n    return net"
    )
    network = network_of(written(tmp_path, frozen), "connect4")
    modes = {name: module.training for name, module in network.inner.named_modules() if name in ("body.2", "body.5")}
    assert modes == {"body.2": False, "body.5": True}


def test_an_edited_file_may_start_from_a_model_with_all_its_weights(tmp_path: Path) -> None:
    """The hash of the file is another one then. A model of an own network fits no network of this package."""
    path, start = written(tmp_path, linear()), tmp_path / "start.onnx"
    start.write_bytes(exported(path))
    edited = network_of(written(tmp_path, linear() + "# edited\n"), "tictactoe")
    begin_with(edited, start, "tictactoe")
    assert torch.equal(edited.state_dict()["inner.both.weight"], weights_in(start.read_bytes())["inner.both.weight"])
    with pytest.raises(ModelError, match="its network is that of a Python file; name the file with --network-file"):
        begin_with(create_network("tictactoe"), start, "tictactoe")
