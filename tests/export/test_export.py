"""ONNX files answer as the network does, and models are published and deleted as settings say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from conftest import ForeignDatabase
from random_models import model_file, random_network
from run_files import model_bytes, trainer_config

import trainer
from trainer.core.errors import ConfigError, ModelError
from trainer.evaluators.acceleration import distance, random_play
from trainer.evaluators.loader import ModelLoader
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.export import Exporter, begin_with
from trainer.export.exporter import exact_answers
from trainer.export.stored import StoredNetwork, fill
from trainer.game_config import metadata_of
from trainer.games import game_of
from trainer.games.layout import layout_of
from trainer.network import Family, MoverNetwork, NetworkSettings, PolicyValueNetwork, create_network
from trainer.replay import Metadata
from trainer.run.model_files import step_of, stored_models
from trainer.settings.groups.network import Activation, Pooling
from trainer.trainer import Trainer
from trainer.training.publish import Retention, publish

OTHELLO = metadata_of(game_of("othello"))


def network_for(game: Metadata, seed: int = 0) -> PolicyValueNetwork:
    """A network with random weights."""
    torch.manual_seed(seed)
    return PolicyValueNetwork(game)


def observations(game: Metadata, count: int) -> np.ndarray:
    """Random zeros and ones."""
    return np.random.default_rng(0).integers(0, 2, (count, game.obs_size)).astype(np.float32)


@pytest.mark.parametrize("env_id", ["tictactoe", "connect4", "othello"])
@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("activation", get_args(Activation))
@pytest.mark.parametrize("family", get_args(Family))
def test_the_model_answers_as_torch_does(env_id: str, family: Family, activation: Activation, batch: int) -> None:
    """To 1e-5, for both seats and any batch size."""
    game = metadata_of(game_of(env_id))
    torch.manual_seed(0)
    network = PolicyValueNetwork(game, NetworkSettings(family, activation=activation))
    sample = observations(game, batch)
    model = OnnxEvaluator(Exporter(network, game).to_bytes(3, sample), "test", env_id)
    prior, value = model(sample, np.ones((batch, game.num_actions), np.bool_))
    logits, expected = network(torch.from_numpy(sample))
    assert prior == pytest.approx(torch.softmax(logits, 1).detach().numpy(), abs=1e-5)
    assert value == pytest.approx(expected[:, 0].detach().numpy(), abs=1e-5)


@pytest.mark.parametrize("batch", [1, 7])
def test_a_model_of_unknown_layout_answers_as_torch_does(batch: int) -> None:
    """To 1e-5. Only an mlp can be made without the layout of the observation."""
    game = replace(OTHELLO, env_id="mystery", legal_mask_offset=100)
    for family in ("conv", "residual"):
        with pytest.raises(ConfigError, match=r"mystery's observations is unknown.*use --network mlp"):
            PolicyValueNetwork(game, NetworkSettings(family))
    network = network_for(game)
    sample = observations(game, batch)
    content = Exporter(network, game).to_bytes(3, sample)
    found = onnxruntime.InferenceSession(content).run(["policy_logits", "value"], {"observation": sample})
    for ours, theirs in zip(network(torch.from_numpy(sample)), found, strict=True):
        assert theirs == pytest.approx(ours.detach().numpy(), abs=1e-5)


@pytest.mark.parametrize("pooling", get_args(Pooling))
def test_a_tower_answers_as_torch_does(pooling: Pooling) -> None:
    """With weights none of which is 0, as after training."""
    network = random_network("othello", "residual", 40, pooling=pooling)
    sample = observations(OTHELLO, 5)
    content = Exporter(network, OTHELLO).to_bytes(3, sample)
    found = onnxruntime.InferenceSession(content).run(["policy_logits", "value"], {"observation": sample})
    for ours, theirs in zip(network(torch.from_numpy(sample)), found, strict=True):
        assert theirs == pytest.approx(ours.detach().numpy(), abs=1e-5 * max(1.0, float(np.abs(theirs).max())))
    weights = {tensor.name for tensor in onnx.load_from_string(content).graph.initializer}
    assert {name for name, _ in network.named_parameters()} <= weights


def test_a_later_file_has_the_later_weights() -> None:
    """The graph is built once, but each file has the weights of its moment."""
    network = network_for(OTHELLO)
    exporter = Exporter(network, OTHELLO)
    sample = observations(OTHELLO, 2)
    first = exporter.to_bytes(1, sample)
    with torch.no_grad():
        network.value.bias += 1
    second = exporter.to_bytes(2, sample)
    values = [
        OnnxEvaluator(content, "", "othello")(sample, np.ones((2, 65), np.bool_))[1] for content in (first, second)
    ]
    assert np.arctanh(values[1]) - np.arctanh(values[0]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("family", ["conv", "residual"])
def test_a_file_is_the_same_whichever_way_weights_lie_in_memory(family: Family) -> None:
    """On a GPU those of a convolution lie with the channels last, also when the exporter is made."""
    network = random_network("connect4", family, width=16)
    expected = model_file("connect4", network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert not all(weight.is_contiguous() for weight in network.parameters())
    assert model_file("connect4", network) == expected


def test_a_file_describes_itself() -> None:
    """Names, shapes and metadata are the contract's, and weights are inside the file."""
    content = Exporter(network_for(OTHELLO), OTHELLO).to_bytes(1200, observations(OTHELLO, 1))
    model = onnx.load_from_string(content)
    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {"observation": ["batch", 195], "policy_logits": ["batch", 65], "value": ["batch", 1]}
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata["env_id"] == "othello"
    assert metadata["step"] == "1200"
    assert metadata["architecture"] == "PolicyValueNet"  # whatever the class is called now
    assert (metadata["obs_size"], metadata["num_actions"]) == ("195", "65")
    assert metadata["trainer_version"] == trainer.__version__
    assert not any(weight.external_data for weight in model.graph.initializer)


@pytest.mark.parametrize("head", ["policy", "value"])
def test_a_model_that_answers_nan_is_not_published(head: str) -> None:
    """The exporter raises an error instead of returning the file."""
    network = network_for(OTHELLO)
    exporter = Exporter(network, OTHELLO)
    with torch.no_grad():
        getattr(network, head).bias[0] = torch.nan
    name = {"policy": "policy_logits", "value": "value"}[head]
    with pytest.raises(ModelError, match=f"NaN or infinity in {name}; it was not published"):
        exporter.to_bytes(1, observations(OTHELLO, 1))


def test_a_wrong_translation_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a ReLU is left out of the graph, ONNX Runtime and torch disagree; the error says by how much."""
    from trainer.export import graph

    monkeypatch.setitem(graph.TRANSLATIONS, torch.nn.ReLU, lambda graph, module, name, source, output: source)
    exporter = Exporter(network_for(OTHELLO), OTHELLO)
    with pytest.raises(ModelError, match=r"policy_logits differs from torch's by 0\.\d+; it was not published"):
        exporter.to_bytes(1, observations(OTHELLO, 4))


def test_a_file_with_another_value_head_is_not_published() -> None:
    """Values are compared as logits are."""
    network, sample = network_for(OTHELLO), observations(OTHELLO, 4)
    exporter = Exporter(network, OTHELLO)
    content = exporter.to_bytes(1, sample)
    with torch.no_grad():
        network.value.bias += 0.1
    with pytest.raises(ModelError, match=r"ONNX Runtime's value differs from torch's by 0\.\d+; it was not published"):
        exporter.check(content, sample)


@pytest.mark.parametrize(("rounding", "published"), [(1e-5, False), (1e-3, True)])
def test_a_file_may_differ_more_if_torch_itself_rounds_as_much(
    rounding: float, published: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large numbers that cancel out leave large rounding errors: a run of Connect 4 once ended by a difference of 1.2e-5.

    Here the file differs by up to 0.001. How far torch's answer is from the exact one is made up.
    """
    network, sample = network_for(OTHELLO), observations(OTHELLO, 4)
    exporter = Exporter(network, OTHELLO)
    content = exporter.to_bytes(1, sample)
    with torch.no_grad():
        network.value.bias += 0.001
        answers = [part.numpy() + rounding for part in network(torch.from_numpy(sample))]
    monkeypatch.setattr("trainer.export.exporter.exact_answers", lambda *_: answers)
    if published:
        exporter.check(content, sample)
    else:
        with pytest.raises(ModelError, match="ONNX Runtime's value differs from torch's by"):
            exporter.check(content, sample)


def test_exact_answers_are_those_of_float64() -> None:
    """The network itself stays in float32."""
    network, sample = network_for(OTHELLO), observations(OTHELLO, 4)
    exact, answers = exact_answers(network, sample), network(torch.from_numpy(sample))
    for one, other in zip(exact, answers, strict=True):
        assert (one.dtype, other.dtype) == (np.float64, torch.float32)
        assert one == pytest.approx(other.detach().numpy(), rel=1e-4, abs=1e-4)
        assert (one.astype(np.float32) != one).any()


def test_differences_are_relative_to_the_largest_output() -> None:
    """Among logits in the thousands, rounding errors are large even in those near 0; that isn't a wrong translation."""
    network = network_for(OTHELLO)
    with torch.no_grad():
        network.policy.weight *= 30_000
    sample = observations(OTHELLO, 64)
    exporter = Exporter(network, OTHELLO)
    content = exporter.to_bytes(1, sample)
    with torch.no_grad():
        assert network(torch.from_numpy(sample))[0].abs().max() > 1000
        network.policy.weight[0] *= 1.001  # from here on torch answers otherwise than the file
    with pytest.raises(ModelError, match="policy_logits differs from torch's by"):
        exporter.check(content, sample)


class Linear(MoverNetwork):
    """A network of one's own, of one layer."""

    def __init__(self, env_id: str) -> None:
        game = game_of(env_id)
        super().__init__(metadata_of(game), layout_of(game))
        self.both = torch.nn.Linear(self.view.size, game.num_actions + 1)

    def answers(self, view: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        both = self.both(view)
        return both[:, 1:], torch.tanh(both[:, :1])


@pytest.mark.parametrize("env_id", ["connect4", "hex:size=4"])
def test_a_network_that_is_derived_in_python_is_exported(env_id: str) -> None:
    """Each file has the weights that it has by then, and the seats are exchanged as in training."""
    network, (sample, legal) = Linear(env_id), random_play(env_id, seed=1)
    exporter = Exporter(network, metadata_of(game_of(env_id)))
    found = []
    for step in (1, 2):
        content = exporter.to_bytes(step, sample)  # compares its answers with torch's
        found.append(OnnxEvaluator(content, "own.onnx", env_id)(sample, legal))
        torch.nn.init.normal_(network.both.weight)
    assert distance(*found) > 1e-3
    with pytest.raises(ModelError, match=r"^its network is a Linear, which isn't a network of this package$"):
        _ = StoredNetwork.read(content).settings


def test_a_network_without_a_movers_view_is_refused() -> None:
    """In one sentence, as what torch can't export is."""

    class Undecided(Linear):
        def answers(self, view: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return super().answers(view if view.sum() > 3 else 2 * view)

    game = metadata_of(game_of("connect4"))
    with pytest.raises(ModelError, match=r"^a Linear can't be exported; derive it from trainer\.network\.MoverNetwork"):
        Exporter(torch.nn.Linear(3, 3), game)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"^torch can't export a Undecided to ONNX \(.+\); its operations may not"):
        Exporter(Undecided("connect4"), game)


def test_latest_is_the_newest_and_old_steps_are_deleted(tmp_path: Path) -> None:
    """Steps are sorted as numbers: 1000000 is newer than 999999."""
    for step in (5, 999_999, 1_000_000, 999_998):
        publish(str(step).encode(), tmp_path, step, Retention(3))
    assert [path.name for path in stored_models(tmp_path)] == [
        "model_step_999998.onnx",
        "model_step_999999.onnx",
        "model_step_1000000.onnx",
    ]
    assert (tmp_path / "latest.onnx").read_bytes() == b"999998"  # the one published last
    assert sorted(path.name for path in tmp_path.iterdir())[0] == "latest.onnx"


def test_no_model_is_deleted_unless_asked(tmp_path: Path) -> None:
    """Somebody's own training loop may need all of them."""
    for step in range(12):
        publish(b"", tmp_path, step)
    assert [step_of(path) for path in stored_models(tmp_path)] == list(range(12))


def test_the_model_just_published_is_never_deleted(tmp_path: Path) -> None:
    """Even if the folder holds as many later ones as are kept, which another program may have put there."""
    for step in (10, 20, 30):
        publish(b"", tmp_path, step, Retention(2))
    assert publish(b"new", tmp_path, 5, Retention(2)).read_bytes() == b"new"
    assert [step_of(path) for path in stored_models(tmp_path)] == [5, 20, 30]


def test_only_a_number_is_a_step(tmp_path: Path) -> None:
    """Other files that begin like a model's are somebody's own."""
    for name in ("model_step_.onnx", "model_step_best.onnx", "model_step_².onnx", "model_step_7.onnx"):
        (tmp_path / name).touch()
    assert [path.name for path in stored_models(tmp_path)] == ["model_step_7.onnx"]


@pytest.mark.parametrize(("most", "interval"), [(1, 10), (2, 10), (10, 10), (32, 200), (7, 1)])
def test_models_can_be_kept_spread_over_the_run(tmp_path: Path, most: int, interval: int) -> None:
    """At any length of the run: never more than asked for, always the newest, and the others evenly spaced."""
    for step in (*range(0, 40 * interval, interval), 40 * interval - 3 if interval > 3 else 40):
        publish(b"", tmp_path, step, Retention(most, interval))
        steps = [step_of(path) for path in stored_models(tmp_path)]
        assert len(steps) <= most
        assert steps[-1] == step
        assert len(set(np.diff(steps[:-1]))) <= 1
    assert len(steps) > most // 2 - 1
    assert steps[0] == 0 or most == 1


def test_models_published_by_time_are_kept_spread_over_the_run(tmp_path: Path) -> None:
    """Their steps are multiples of nothing: one of each stretch of the run stays, and the newest."""
    generator, step = np.random.default_rng(0), 0
    for _ in range(200):
        publish(b"", tmp_path, step, Retention(32, 200))
        step += int(generator.integers(280, 320))
    steps = [step_of(path) for path in stored_models(tmp_path)]
    assert 16 <= len(steps) <= 32
    assert steps[0] == 0
    assert max(np.diff(steps)) < 3 * steps[-1] / len(steps)


@pytest.mark.parametrize(("written", "read"), [("0.25", 0.25), ("", 1.0), ("often", 1.0), ("nan", 1.0), ("7", 1.0)])
def test_a_model_states_the_progress_of_its_run(written: str, read: float) -> None:
    """Actors lengthen their searches accordingly. A file that doesn't state it counts as the end of a run."""
    content = Exporter(network_for(OTHELLO), OTHELLO).to_bytes(1, observations(OTHELLO, 1), progress=0.25)
    proto = onnx.load_from_string(content)
    onnx.helper.set_model_props(proto, {"progress": written} if written else {})
    assert OnnxEvaluator(proto.SerializeToString(), "test", "othello").progress == read


def test_a_model_from_a_loop_of_ones_own_counts_as_the_end_of_a_run(
    tictactoe_rows: ForeignDatabase, tmp_path: Path
) -> None:
    """Else actors would keep the shortest searches for ever. The models of a run go from 0 to 1."""
    content = Exporter(network_for(OTHELLO), OTHELLO).to_bytes(1, observations(OTHELLO, 1))
    assert OnnxEvaluator(content, "test", "othello").progress == 1
    config = trainer_config(tmp_path, steps=4, checkpoint_interval=2, publish_first=True)
    Trainer(config).train()
    shares = [ModelLoader("tictactoe").load(path).progress for path in stored_models(config.model_dir)]
    assert shares == [0, 0.5, 1]


def test_each_export_has_a_message_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A protobuf message keeps what its fields ever held: one that is used again grows by the weights of each model."""
    exported: list[onnx.ModelProto] = []
    set_model_props = onnx.helper.set_model_props

    def noted(model: onnx.ModelProto, properties: dict[str, str]) -> None:
        exported.append(model)
        set_model_props(model, properties)

    exporter, sample = Exporter(network_for(OTHELLO), OTHELLO), observations(OTHELLO, 1)
    monkeypatch.setattr(onnx.helper, "set_model_props", noted)
    for step in range(3):
        exporter.to_bytes(step, sample)
    assert len({id(model) for model in exported}) == 3


def test_a_run_begins_with_the_weights_of_a_model(tictactoe_rows: ForeignDatabase, tmp_path: Path) -> None:
    """The first model of a new run answers as the one that it starts from; a resumed run doesn't look at it again."""
    start = tmp_path / "start.onnx"
    start.write_bytes(model_file("tictactoe", random_network("tictactoe", width=24)))
    config = trainer_config(
        tmp_path, steps=1, width=24, lr=1e-9, publish_first=True, start_from=start, checkpoint_interval=1
    )
    Trainer(config).train()
    rows = random_play("tictactoe", seed=2)
    first = ModelLoader("tictactoe").load(config.model_dir / "model_step_000000.onnx")
    assert distance(first(*rows), ModelLoader("tictactoe").load(start)(*rows)) == 0
    begun = Trainer(
        replace(config, resume=True, model_dir=tmp_path / "other", stats=tmp_path / "other" / "stats.json")
    ).train()
    assert begun.step == 1
    again = ModelLoader("tictactoe").load(tmp_path / "other" / "model_step_000000.onnx")
    assert distance(again(*rows), first(*rows)) == 0, "without a checkpoint to resume, it begins with the model"
    start.unlink()
    assert Trainer(replace(config, steps=2, resume=True)).train().step == 2


@pytest.mark.parametrize(
    ("env_id", "family"), [("tictactoe", "mlp"), ("connect4", "conv"), ("go:size=4", "conv"), ("hex:size=4", "mlp")]
)
@pytest.mark.parametrize("activation", get_args(Activation))
def test_a_wider_network_begins_as_the_narrow_one_and_learns_with_all_of_it(
    env_id: str, family: Family, activation: Activation, tmp_path: Path
) -> None:
    """It gives the same answers. After a step the old units listen to the new ones, and so do the heads."""
    path = tmp_path / "narrow.onnx"
    path.write_bytes(model_file(env_id, random_network(env_id, family, width=13, activation=activation)))
    rows = random_play(env_id, seed=2)
    wide = random_network(env_id, family, width=32, seed=5, activation=activation)
    begin_with(wide, path, env_id)
    narrow = ModelLoader(env_id).load(path)
    made = OnnxEvaluator(model_file(env_id, wide), "wide.onnx", env_id)
    assert distance(made(*rows), narrow(*rows)) < 1e-6
    observation, legal = (torch.from_numpy(part) for part in rows)
    visits = legal / legal.sum(dim=1, keepdim=True)
    wide.loss(observation, legal, visits, torch.ones(len(legal))).total.backward()
    units, behind = (6, wide.body[2]) if family == "mlp" else (13, wide.body[1])
    for layer in (behind, wide.policy, wide.value):
        listening = layer.weight[: units if layer is behind else None]
        ignored = (listening == 0).all(dim=0)
        assert ignored.any(), "the new units change the answers"
        assert layer.weight.grad[: len(listening), ignored].abs().max() > 0, "nothing will ever listen to the new units"


@pytest.mark.parametrize(("filters", "units", "lines"), [(13, 40, 0), (20, 13, 0), (20, 40, 0), (20, 40, 5)])
def test_a_network_with_more_filters_or_more_units_begins_as_the_narrow_one(
    filters: int, units: int, lines: int, tmp_path: Path
) -> None:
    """Either may grow alone, and neither may shrink."""
    path, grown = tmp_path / "narrow.onnx", tmp_path / "grown.onnx"
    path.write_bytes(model_file("connect4", random_network("connect4", "conv", width=13, lines=lines)))
    wide = random_network("connect4", "conv", width=filters, seed=5, units=units, lines=lines)
    begin_with(wide, path, "connect4")
    grown.write_bytes(model_file("connect4", wide))
    rows = random_play("connect4", seed=2)
    answers = [ModelLoader("connect4").load(file)(*rows) for file in (path, grown)]
    assert distance(*answers) < 1e-6
    flags = f"--network conv --width {filters} --activation relu --units {units} --lines {lines}"
    for other in ({"units": units - 1, "lines": lines}, {"units": units, "lines": lines + 1}):
        with pytest.raises(ModelError, match=f"its network has {flags}, so"):
            begin_with(random_network("connect4", "conv", width=filters, **other), grown, "connect4")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            model_file("tictactoe", random_network("tictactoe", width=64)),
            "its network has --network mlp --width 64 --activation relu, so",
        ),
        (
            model_file("tictactoe", random_network("tictactoe", width=32, activation="squared-relu")),
            "its network has --network mlp --width 32 --activation squared-relu, so",
        ),
        (
            model_file("tictactoe", random_network("tictactoe", "residual", 16)),
            "--activation relu --blocks 2 --pooling none",
        ),
        (model_bytes("tictactoe"), "weights aren't named as those of a network of this package"),
        (b"nonsense", "is not an ONNX model that can be loaded"),
        (None, "there is no model at"),
    ],
)
def test_a_run_cannot_begin_with_another_network(content: bytes | None, says: str, tmp_path: Path) -> None:
    """The message names the flags of the network that the model has."""
    path = tmp_path / "start.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=says) as caught:
        begin_with(create_network("tictactoe", NetworkSettings(width=32)), path, "tictactoe")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("family", ["mlp", "conv"])
def test_a_narrower_network_of_a_game_of_other_sizes(family: Family, tmp_path: Path) -> None:
    """Its weights don't fit, however wide the network is."""
    path = tmp_path / "start.onnx"
    path.write_bytes(model_file("tictactoe", random_network("tictactoe", family, width=8)))
    with pytest.raises(
        ModelError,
        match="was trained for another game, whose observations or actions have other sizes",
    ):
        begin_with(create_network("connect4", NetworkSettings(family, 16)), path, "connect4")


def test_weights_of_another_network_do_not_fill_one() -> None:
    """Of another width, or of another family."""
    network = create_network("tictactoe", NetworkSettings(width=32))
    fill(network, StoredNetwork.read(model_file("tictactoe", random_network("tictactoe", width=32))).weights)
    for other in (random_network("tictactoe", width=64), random_network("tictactoe", "conv", 32)):
        weights = StoredNetwork.read(model_file("tictactoe", other)).weights
        with pytest.raises(ModelError, match=r"^its weights are of another network: Error\(s\) in loading state_dict"):
            fill(network, weights)
