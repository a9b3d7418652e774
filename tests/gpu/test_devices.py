"""Choosing a device, and what is said about one that can't be used. No GPU is needed."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import torch
from random_models import model_file, random_network

from trainer.core.errors import ConfigError, DeviceError
from trainer.export.stored import StoredNetwork, empty_network, fill
from trainer.games import game_of
from trainer.gpu import devices
from trainer.gpu.choice import accelerators
from trainer.settings.groups.device import EvaluationSettings, Precision

CARD = SimpleNamespace(name="NVIDIA H100", total_memory=85_000_000_000)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A torch that was built for CUDA, and a card that it knows; its computations run on the CPU."""
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "init", lambda: None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: (9, 0))
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_80", "sm_90"])
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: CARD.name)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: CARD)
    ones = torch.ones
    monkeypatch.setattr(torch, "ones", lambda *shape, device: ones(*shape))
    return monkeypatch


def test_a_gpu_that_works_is_chosen(cuda: pytest.MonkeyPatch) -> None:
    """By its own name, or by auto."""
    for name in ("cuda", "auto"):
        found = devices.choose(name)
        assert (found.device.type, found.reason) == ("cuda", "NVIDIA H100, 85 GB")


def test_a_network_too_coarse_in_16_bits_still_plays_on_the_gpu(cuda: pytest.MonkeyPatch) -> None:
    """After the precision that was asked for comes fp32, and then the CPU."""
    asked_for: tuple[Precision, ...] = ("fp16", "fp32")
    found = [accelerators("tictactoe", EvaluationSettings("cuda", precision=precision)) for precision in asked_for]
    assert [[one.manner for one in several] for several in found] == [
        ["on the device cuda in fp16", "on the device cuda in fp32"],
        ["on the device cuda in fp32"],
    ]


def test_a_full_memory_is_no_fault_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """When weights are copied to the device, torch says it as of any other error."""

    def fail(self: torch.nn.Module, weights: dict[str, torch.Tensor]) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")

    stored = StoredNetwork.read(model_file("tictactoe", random_network("tictactoe", "mlp")))
    network = empty_network(stored.settings, game_of("tictactoe"))
    monkeypatch.setattr(torch.nn.Module, "load_state_dict", fail)
    full = pytest.raises(DeviceError, match="the memory of the GPU is full during the loading of a model")
    with full, devices.errors_named("the loading of a model"):
        fill(network, stored.weights)


@pytest.mark.parametrize(
    "text", ["CUDA error: out of memory", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"]
)
def test_a_full_memory_that_torch_has_no_class_for(text: str) -> None:
    """CUDA and its libraries only say it."""
    with (
        pytest.raises(DeviceError, match="the memory of the GPU is full during a test"),
        devices.errors_named("a test"),
    ):
        raise RuntimeError(text)


def test_a_convolution_without_a_kernel_is_a_failure_of_the_device() -> None:
    """That is what torch says if there is no room for the workspace of any."""
    failed = pytest.raises(DeviceError, match=r"failed during a test \(GET was unable .*; its memory may be full\)")
    with failed, devices.errors_named("a test"):
        raise RuntimeError("GET was unable to find an engine to execute this computation")


@pytest.mark.parametrize(("capability", "mixes"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_cards_that_only_imitate_bfloat16_are_trained_without(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], mixes: bool
) -> None:
    """torch would take kernels for them that are many times slower. A CPU and an Apple GPU aren't asked."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert devices.has_bfloat16(torch.device("cuda")) == mixes
    assert not devices.has_bfloat16(torch.device("cpu"))
    assert not devices.has_bfloat16(torch.device("mps"))


def test_a_failed_capture_is_explained_by_what_broke_it() -> None:
    """At its end torch only says that something went wrong before."""
    failed = pytest.raises(DeviceError, match=r"failed during a test \(CUDA error: operation not permitted")
    with failed, devices.errors_named("a test"):
        capture_that_breaks()


def capture_that_breaks() -> None:
    """As torch.cuda.graph does it."""
    try:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")
    finally:
        raise RuntimeError("CUDA error: operation failed due to a previous error during capture")


def test_a_torch_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """cuda is refused; auto takes the CPU and says why."""
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(
        ConfigError, match=r"^--device cuda can't be used: this torch \(.*\) was built without CUDA; give auto"
    ):
        devices.choose("cuda")
    found = devices.choose("auto")
    assert found.device.type == "cpu"
    assert found.reason.startswith("this torch (")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Found no NVIDIA driver on your system. Please install one.\nmore"),
        RuntimeError("The NVIDIA driver on your system is too old (found version 12020)"),
        torch.cuda.DeferredCudaCallError("CUDA call failed lazily at initialization\n\nmore"),
    ],
)
def test_a_gpu_that_torch_can_not_use_is_explained_in_its_words(error: Exception, cuda: pytest.MonkeyPatch) -> None:
    """By their first line: there is no driver, or one that is too old, or the GPU isn't ready. auto takes the CPU then."""

    def fail() -> None:
        raise error

    cuda.setattr(torch.cuda, "init", fail)
    reason = f"torch finds no GPU that works ({str(error).splitlines()[0].rstrip('.')}; see nvidia-smi)"
    with pytest.raises(ConfigError, match=re.escape(reason)):
        devices.choose("cuda")
    cuda.setattr(torch.backends.mps, "is_available", lambda: False)
    assert devices.choose("auto") == devices.DeviceChoice(torch.device("cpu"), reason)


def test_a_card_that_torch_does_not_know(cuda: pytest.MonkeyPatch) -> None:
    """Both are named."""
    cuda.setattr(torch.cuda, "get_device_capability", lambda index: (6, 1))
    with pytest.raises(
        ConfigError, match=r"NVIDIA H100 has the architecture sm_61, and this torch \(.*\) knows sm_75 sm_80"
    ):
        devices.choose("cuda")


def test_a_card_that_fails_at_once(cuda: pytest.MonkeyPatch) -> None:
    """What it says is passed on."""

    def fail(*shape: int, device: str) -> None:
        raise RuntimeError("CUDA error: all CUDA-capable devices are busy")

    cuda.setattr(torch, "ones", fail)
    with pytest.raises(ConfigError, match="the GPU failed during the first computation"):
        devices.choose("cuda")


@pytest.mark.parametrize(
    ("architecture", "known", "answer"),
    [
        ("sm_90", ["sm_90"], True),
        ("sm_89", ["sm_80", "sm_86"], True),
        ("sm_86", ["sm_89"], False),
        ("sm_100", ["sm_90"], False),
        ("sm_100", ["sm_90", "compute_90"], True),
        ("sm_100", ["compute_90a"], False),
        ("sm_120", ["sm_120a"], True),
        ("sm_121", ["sm_120a"], False),
        ("sm_121", ["sm_120f"], True),
        ("sm_61", ["sm_75"], False),
    ],
)
def test_which_cards_run_which_code(architecture: str, known: list[str], answer: bool) -> None:
    """Code runs on cards of the same major version that aren't older, PTX on all that aren't, and some on one kind alone."""
    assert devices.supported(architecture, known) == answer


def test_apple_silicon(monkeypatch: pytest.MonkeyPatch) -> None:
    """auto takes it if there is no other GPU; elsewhere it is refused."""
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.choose("auto").device.type == devices.choose("mps").device.type == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="--device mps needs a Mac with Apple silicon"):
        devices.choose("mps")
