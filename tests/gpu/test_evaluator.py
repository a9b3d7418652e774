"""Models evaluated by torch: on the CPU here, by the classes that a GPU uses, operation by operation."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from random_models import model_file, random_network
from small_models import linear_model
from waiting import PATIENCE

from trainer.actor.selfplay import SelfPlay
from trainer.core.errors import DeviceError, ModelError
from trainer.core.files import write_bytes
from trainer.evaluators.acceleration import Acceleration, distance, random_play
from trainer.evaluators.hot_reload import ModelFile
from trainer.evaluators.loader import ModelLoader
from trainer.evaluators.onnx_file import OnnxEvaluator
from trainer.export.stored import StoredNetwork
from trainer.gpu.evaluator import TorchAccelerator, TorchEvaluator, copy_kernels
from trainer.gpu.launchers import NOT_FINITE, SOUND, TOO_LARGE, EagerLauncher, answer
from trainer.network import PolicyValueNetwork
from trainer.settings.groups.network import Activation, Family, NetworkSettings, Pooling

CPU = torch.device("cpu")
FAMILIES: tuple[Family, ...] = ("mlp", "conv", "residual")
OTHERS = ("othello", "dots:rows=2,columns=2", "breakthrough:rows=6,columns=5", "go:size=4")


def load(content: bytes, env_id: str) -> OnnxEvaluator:
    """A model evaluated by ONNX Runtime."""
    return OnnxEvaluator(content, "some.onnx", env_id)


def accelerated(env_id: str, capacity: int = 64, precision: str = "fp32", **changed: object) -> TorchAccelerator:
    """An accelerator on the CPU."""
    return TorchAccelerator(env_id, CPU, precision, capacity, **changed)  # type: ignore[arg-type]


def evaluator_of(accelerator: TorchAccelerator, env_id: str, content: bytes) -> TorchEvaluator:
    """The evaluator of a model file."""
    return accelerator(content, load(content, env_id))


@pytest.mark.parametrize(
    ("env_id", "family"),
    [*(("connect4", family) for family in FAMILIES), *((env_id, "residual") for env_id in OTHERS)],
)
@pytest.mark.parametrize("activation", get_args(Activation))
def test_it_answers_as_onnx_runtime_does(env_id: str, family: Family, activation: Activation) -> None:
    """Priors and values of real positions, to 1e-5."""
    content = model_file(env_id, random_network(env_id, family, activation=activation))
    found = evaluator_of(accelerated(env_id), env_id, content)
    rows = random_play(env_id, seed=2)
    for ours, theirs in zip(found(*rows), load(content, env_id)(*rows), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert (found.step, found.progress, found.source) == (7, 0.2, "some.onnx")


@pytest.mark.parametrize("pooling", ["squeeze", "bias"])
def test_towers_that_look_at_the_whole_board(pooling: Pooling) -> None:
    """Answer as they do under ONNX Runtime, too."""
    content = model_file("connect4", random_network("connect4", "residual", pooling=pooling))
    rows = random_play("connect4", seed=2)
    found = evaluator_of(accelerated("connect4"), "connect4", content)
    assert distance(found(*rows), load(content, "connect4")(*rows)) < 1e-5


@pytest.mark.parametrize(("precision", "least", "most"), [("fp32", 0.0, 1e-5), ("bf16", 1e-6, 5e-2)])
def test_precision_is_that_of_the_numbers(precision: str, least: float, most: float) -> None:
    """Half precision answers otherwise, but not much."""
    content = model_file("connect4", random_network("connect4", "residual"))
    rows = random_play("connect4", seed=2)
    found = evaluator_of(accelerated("connect4", precision=precision), "connect4", content)
    assert least <= distance(found(*rows), load(content, "connect4")(*rows)) <= most


def test_neither_padding_nor_the_size_of_a_batch_changes_an_answer() -> None:
    """One by one, in any batch, and beside any others: the same bits."""
    content = model_file("connect4", random_network("connect4", "residual"))
    found = evaluator_of(accelerated("connect4", capacity=16), "connect4", content)
    observation, legal = (part[:60] for part in random_play("connect4", seed=2))
    prior, value = found(observation, legal)
    for size in (1, 5, 16, 33):
        for first in range(0, 60 - size, 7):
            rows = slice(first, first + size)
            own_prior, own_value = found(observation[rows], legal[rows])
            np.testing.assert_array_equal(own_prior, prior[rows])
            np.testing.assert_array_equal(own_value, value[rows])


def test_what_kind_of_network_a_file_holds() -> None:
    """By the names and shapes of its weights, and by its operations."""
    kinds: tuple[tuple[Family, int, int | None, int, int], ...] = (
        ("mlp", 24, None, 0, 6),
        ("conv", 16, 24, 0, 6),
        ("conv", 16, 24, 8, 6),
        ("residual", 40, None, 0, 3),
    )
    for family, width, units, lines, blocks in kinds:
        for activation in get_args(Activation):
            settings = NetworkSettings(family, width, units, blocks, activation=activation, lines=lines)
            network = random_network("connect4", family, width, 3, blocks, "none", activation, units, lines)
            assert settings_in(model_file("connect4", network)) == network.settings == settings
    for pooling in get_args(Pooling):
        content = model_file("connect4", random_network("connect4", "residual", 40, pooling=pooling))
        assert settings_in(content) == NetworkSettings("residual", 40, blocks=2, pooling=pooling)
    with pytest.raises(ModelError, match="aren't named as those of a network of this package"):
        settings_in(linear_model(np.zeros((86, 7), np.float32)))


def test_settings_that_do_not_apply_to_a_network_are_left_out() -> None:
    """Two networks with the same weights have the same settings, whatever else was chosen."""
    plain = random_network("connect4", "mlp", 24).settings
    assert random_network("connect4", "mlp", 24, units=5, blocks=9, pooling="bias", lines=9).settings == plain
    assert (
        random_network("connect4", "residual", 24, lines=9).settings
        == random_network("connect4", "residual", 24).settings
    )
    assert random_network("connect4", "conv", 24, units=24).settings == random_network("connect4", "conv", 24).settings


def settings_in(content: bytes) -> NetworkSettings:
    """The settings of the network in a model file."""
    return StoredNetwork.read(content).settings


def test_threads_never_mix_two_models() -> None:
    """Eight threads evaluate while twenty models replace each other; each batch is answered by one model alone."""
    rows = random_play("tictactoe", seed=2)
    contents = [model_file("tictactoe", random_network("tictactoe", width=24, seed=n), step=n) for n in range(20)]
    maker = accelerated("tictactoe", capacity=32)
    expected = [evaluator_of(accelerated("tictactoe", 32), "tictactoe", content)(*rows)[0] for content in contents]
    current = [evaluator_of(maker, "tictactoe", contents[0])]
    over, seen = threading.Event(), set()

    def evaluate() -> None:
        while not over.is_set():
            found = current[0]
            assert found.step is not None
            np.testing.assert_array_equal(found(*rows)[0], expected[found.step])
            seen.add(found.step)

    with ThreadPoolExecutor(8) as pool:
        threads = [pool.submit(evaluate) for _ in range(8)]
        try:
            for number, content in enumerate(contents):
                current[0] = evaluator_of(maker, "tictactoe", content)
                while number not in seen and not any(thread.done() for thread in threads):
                    over.wait(0.001)
        finally:
            over.set()
        for thread in threads:
            thread.result(PATIENCE)


def test_a_network_is_used_again_once_nobody_needs_its_model() -> None:
    """Three models one after the other need two networks, because the newest arrives before the last is let go."""
    maker = accelerated("tictactoe")
    contents = [model_file("tictactoe", random_network("tictactoe", width=24, seed=n)) for n in range(5)]
    found = evaluator_of(maker, "tictactoe", contents[0])
    for content in contents[1:]:
        found = evaluator_of(maker, "tictactoe", content)
        gc.collect()
    assert maker.slots.made == 2
    rows = random_play("tictactoe", seed=2)
    np.testing.assert_allclose(found(*rows)[0], load(contents[-1], "tictactoe")(*rows)[0], atol=1e-5)


@pytest.mark.parametrize("rows", [0, 1, 5, 8])
def test_a_batch_is_copied_as_numpy_copies_it(rows: int) -> None:
    """Into the first of 8 rows; what lies beyond stays. Also NaN, and memory that isn't contiguous."""
    generator = np.random.default_rng(rows)
    observation = generator.standard_normal((8, 5)).astype(np.float32)
    observation[::3, 1] = np.nan
    legal = generator.random((8, 3)) < 0.5
    for seen_rows, legal_rows in ((observation[:rows], legal[:rows]), (observation[::-1][:rows], legal[::-1][:rows])):
        seen, allowed = np.full((8, 5), 7.0, np.float32), np.ones((8, 3), np.bool_)
        copy_kernels().copies.copy_in(seen_rows, legal_rows, seen, allowed)
        np.testing.assert_array_equal(seen, np.concatenate([seen_rows, np.full((8 - rows, 5), 7.0)]))
        np.testing.assert_array_equal(allowed, np.concatenate([legal_rows, np.ones((8 - rows, 3), np.bool_)]))


@pytest.mark.parametrize(
    ("faults", "worst"),
    [
        ([], SOUND),
        ([SOUND, SOUND], SOUND),
        ([SOUND, TOO_LARGE], TOO_LARGE),
        ([NOT_FINITE, SOUND], NOT_FINITE),
        ([TOO_LARGE, NOT_FINITE, TOO_LARGE], NOT_FINITE),
    ],
)
def test_answers_are_copied_as_numpy_copies_them(faults: list[int], worst: int) -> None:
    """With NaN where a row has a fault. The padding, which may have any fault, counts as little as what it answers."""
    rows = len(faults)
    answers = np.random.default_rng(1).random((4, 5)).astype(np.float32)
    answers[:, -1] = NOT_FINITE
    answers[:rows, -1] = faults
    answers[answers[:, -1] == NOT_FINITE, :-1] = np.nan
    prior, value = np.zeros((rows, 3), np.float32), np.zeros(rows, np.float32)
    assert copy_kernels().copies.copy_out(answers, prior, value) == worst
    np.testing.assert_array_equal(prior, answers[:rows, :3])
    np.testing.assert_array_equal(value, answers[:rows, 3])


def test_positions_of_another_game_are_refused() -> None:
    """Before they are copied beyond the end of the batch."""
    content = model_file("tictactoe", random_network("tictactoe", width=24))
    found = evaluator_of(accelerated("tictactoe", capacity=4), "tictactoe", content)
    with pytest.raises(ValueError, match="are of another game"):
        found(*random_play("connect4", seed=2))


def test_what_is_wrong_with_an_answer_is_found_on_the_device() -> None:
    """NaN or infinity, or a value outside of [-1, 1], of that row alone. Illegal moves and rows without any are 0."""
    logits = torch.tensor([[1.0, 2.0], [np.nan, 0.0], [np.inf, 0.0], [0.0, 0.0], [0.0, 0.0], [3.0, 3.0]])
    value = torch.tensor([[0.5], [0.0], [0.0], [np.nan], [1.5], [-1.0]])
    legal = torch.tensor([[True, False], [True, True], [True, True], [True, True], [True, True], [False, False]])

    class Network:
        weight = torch.zeros(1)

        def __call__(self, observation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return logits, value_of_rows

    value_of_rows = value
    found = answer(Network(), torch.zeros(6, 3), legal)  # type: ignore[arg-type]
    assert found[:, -1].tolist() == [0.0, NOT_FINITE, NOT_FINITE, NOT_FINITE, TOO_LARGE, 0.0]
    assert found[0].tolist() == [1.0, 0.0, 0.5, 0.0]
    assert found[5].tolist() == [0.0, 0.0, -1.0, 0.0]


def test_a_model_with_nan_is_refused() -> None:
    """By the sentence that other evaluators have. It answers empty positions, with which files are tried, soundly."""
    weights = np.zeros((29, 9), np.float32)
    weights[:18] = 3e38  # the sum of two is infinite
    content = linear_model(weights)
    sound = model_file("tictactoe", random_network("tictactoe", width=24))
    found = evaluator_of(accelerated("tictactoe"), "tictactoe", sound)
    found._slot.network.policy.bias.fill_(np.nan)
    for spare in (None, load(content, "tictactoe")):
        found.spare = spare
        with pytest.raises(ModelError, match=r"^some\.onnx answers NaN or infinity; train it again"):
            found(*random_play("tictactoe", seed=2))


def overflow(found: TorchEvaluator, faults: dict[int, float]) -> None:
    """Let rows of every batch have faults from here on, and answers that can't be."""
    launcher = found._slot.launcher(*found._launcher)
    launch = launcher.launch

    def faulty() -> None:
        launch()
        for row, fault in faults.items():
            launcher.answers[row, :-1], launcher.answers[row, -1] = torch.nan, fault

    launcher.launch = faulty  # type: ignore[method-assign]


def test_only_positions_with_numbers_too_large_for_16_bits_are_answered_by_the_original(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They may occur in play, though the positions with which a model is tried have none. The others of their batches keep
    the device's answers, so that no answer depends on the batch."""
    content = model_file("tictactoe", random_network("tictactoe", width=24))
    original = load(content, "tictactoe")
    accelerator = accelerated("tictactoe", capacity=4)
    found = accelerator(content, original)
    assert accelerator.accepted(found, original) is found
    assert found.spare is original
    observation, legal = (part[:10] for part in random_play("tictactoe", seed=2))
    usual = found(observation, legal)
    found.spare = other = Other()
    overflow(found, {1: NOT_FINITE})
    for _ in range(2):
        other.seen.clear()
        prior, value = found(observation, legal)
        np.testing.assert_array_equal(np.concatenate(other.seen), observation[[1, 5, 9]])
        for row in range(10):
            assert value[row] == (-1.0 if row in (1, 5, 9) else usual[1][row])
            np.testing.assert_array_equal(prior[row], legal[row] if row in (1, 5, 9) else usual[0][row])
    assert caplog.text.count("some.onnx have numbers that are too large for 16 bits") == 1


def test_numbers_too_large_for_16_bits_are_mentioned_once_for_all_models(caplog: pytest.LogCaptureFixture) -> None:
    """A run publishes a model every few seconds, and the later ones have such numbers, too."""
    accelerator = accelerated("tictactoe")
    for seed in range(2):
        content = model_file("tictactoe", random_network("tictactoe", width=24, seed=seed))
        found = evaluator_of(accelerator, "tictactoe", content)
        found.spare = Other()
        overflow(found, {0: NOT_FINITE})
        found(*random_play("tictactoe", seed=2))
    assert caplog.text.count("too large for 16 bits") == 1


def test_a_value_that_can_not_be_is_refused_beside_numbers_that_are_too_large() -> None:
    """As it is in a batch of its own."""
    content = model_file("tictactoe", random_network("tictactoe", width=24))
    found = evaluator_of(accelerated("tictactoe", capacity=4), "tictactoe", content)
    found.spare = Other()
    overflow(found, {0: NOT_FINITE, 2: TOO_LARGE})
    with pytest.raises(ModelError, match="answers a value of"):
        found(*(part[:4] for part in random_play("tictactoe", seed=2)))


def test_a_model_that_16_bits_are_too_few_for_is_evaluated_in_32(caplog: pytest.LogCaptureFixture) -> None:
    """Its original doesn't answer for it while the two are compared."""
    network = random_network("tictactoe", width=24)
    with torch.no_grad():
        network.body[0].weight.mul_(1e4)
        network.body[2].weight.mul_(1e2)
        network.policy.weight.mul_(1e-6)
        network.value.weight.mul_(1e-6)
    content = model_file("tictactoe", network)
    kinds = [accelerated("tictactoe", precision=precision) for precision in ("fp16", "fp32")]
    found = Acceleration("tictactoe", *kinds)(content, load(content, "tictactoe"))
    assert isinstance(found, TorchEvaluator)
    assert found._slot.network.weight.dtype == torch.float32
    assert "can't be evaluated on the device cpu in fp16" in caplog.text


class Other:
    """An evaluator with answers unlike any model's, which keeps the observations that it is asked for."""

    source, step, progress, layers = "some.onnx", None, 1.0, None

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def __call__(self, observation: np.ndarray, legal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.seen.append(observation)
        return legal.astype(np.float32), np.full(len(legal), -1.0, np.float32)


class BrokenNetwork:
    """Fails whenever it is asked."""

    weight = torch.zeros(1)

    def __init__(self, error: RuntimeError) -> None:
        self.error = error

    def __call__(self, *_: object) -> None:
        raise self.error


class Failing(EagerLauncher):
    """Raises what a device raises."""

    error: RuntimeError = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nsecond line")

    def launch(self) -> None:
        broken: Any = BrokenNetwork(self.error)
        self._network = broken
        super().launch()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), "the memory of the GPU is full during an evaluation (CUDA out"),
        (
            RuntimeError("CUDA error: device-side assert\nmore"),
            "the GPU failed during an evaluation (CUDA error: device",
        ),
        (RuntimeError("cuDNN error: EXECUTION_FAILED"), "the GPU failed during an evaluation (cuDNN error"),
    ],
)
def test_a_device_that_fails_is_one_error(error: RuntimeError, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to do, and no other evaluator takes its place: the process ends, and the run can be resumed."""
    monkeypatch.setattr(Failing, "error", error)
    content = model_file("tictactoe", random_network("tictactoe", width=24))
    acceleration = Acceleration("tictactoe", accelerated("tictactoe", make_launcher=Failing))
    with pytest.raises(DeviceError) as found:
        acceleration(content, load(content, "tictactoe"))
    assert words in str(found.value)
    assert "--resume" in str(found.value)


def test_other_errors_of_torch_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong shape is a mistake of ours."""
    monkeypatch.setattr(Failing, "error", RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    content = model_file("tictactoe", random_network("tictactoe", width=24))
    found = evaluator_of(accelerated("tictactoe", make_launcher=Failing), "tictactoe", content)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        found(*random_play("tictactoe", seed=2))


def test_searching_goes_on_while_another_thread_waits_for_its_answers() -> None:
    """A launch of the first player lasts until the second has made three steps, which it could not if one kept it out."""
    stepped = threading.Semaphore(0)
    slow = threading.current_thread()

    class Waiting(EagerLauncher):
        def launch(self) -> None:
            if threading.current_thread() is slow:
                for _ in range(3):
                    assert stepped.acquire(timeout=PATIENCE)
            super().launch()

    content = model_file("tictactoe", random_network("tictactoe", width=24))
    found = evaluator_of(accelerated("tictactoe", make_launcher=Waiting), "tictactoe", content)
    first, second = (SelfPlay("tictactoe", 4, iter(range(8)), 1, f"actor-{n}") for n in range(2))
    over = threading.Event()

    def play_on() -> None:
        while not over.is_set():
            second.step(found)
            stepped.release()

    thread = threading.Thread(target=play_on)
    thread.start()
    try:
        for _ in range(4):
            first.step(found)
    finally:
        over.set()
        thread.join()
    assert first.search.simulations_done > 0


def test_a_new_model_takes_a_launcher_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Preparing one is slow on a GPU; it happens once per network and thread."""
    made = []

    def make(network: PolicyValueNetwork, *sizes: int) -> EagerLauncher:
        made.append(network)
        return EagerLauncher(network, *sizes)

    maker = accelerated("tictactoe", make_launcher=make)
    rows = random_play("tictactoe", seed=2)
    found = None
    for n in range(6):
        found = evaluator_of(maker, "tictactoe", model_file("tictactoe", random_network("tictactoe", width=24, seed=n)))
        found(*rows)
    assert len(made) == maker.slots.made == 2


def test_a_file_that_is_watched_takes_three_networks(tmp_path: Path) -> None:
    """Of the model in use, of the one before it, and of the one that arrives. From the fourth on nothing is captured."""
    made, counts = [], []

    def make(network: PolicyValueNetwork, *sizes: int) -> EagerLauncher:
        made.append(network)
        return EagerLauncher(network, *sizes)

    maker, path = accelerated("tictactoe", make_launcher=make), tmp_path / "latest.onnx"
    file = ModelFile(path, ModelLoader("tictactoe", Acceleration("tictactoe", maker)), 0.0)
    for n in range(5):
        write_bytes(path, model_file("tictactoe", random_network("tictactoe", width=24, seed=n), step=n))
        assert file.poll()
        assert file.current
        assert file.current.step == n
        file.current(*random_play("tictactoe", seed=2))
        counts.append(len(made))
    assert counts == [1, 2, 3, 3, 3]
    assert maker.slots.made == 3
