import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.proxies import Context, Measurement, names, proxy, registry, score

from .networks import CLASSES, SHAPE, ManyParts, batch, chain, described

ALL = names()
DESCRIBED = described(ManyParts())


def snapshot(module: nn.Module) -> dict[str, Any]:
    state: dict[str, Any] = {}
    for name, part in module.named_modules():
        state[f"{name} dict"] = {k: v for k, v in vars(part).items() if not k.startswith("_")}
        state[f"{name} hooks"] = {k: dict(v) for k, v in vars(part).items() if k.endswith("_hooks")}
    for name, parameter in module.named_parameters():
        gradient = None if parameter.grad is None else parameter.grad.numpy().tobytes()
        value = parameter.detach().numpy().tobytes()
        state[f"{name} parameter"] = (
            id(parameter),
            parameter._version,
            parameter.requires_grad,
            gradient,
            value,
        )
    for name, buffer in module.named_buffers():
        state[f"{name} buffer"] = (id(buffer), buffer._version, buffer.numpy().tobytes())
    return state


def random_states() -> tuple[bytes, Any, str]:
    return (
        torch.get_rng_state().numpy().tobytes(),
        random.getstate(),
        str(np.random.get_state(legacy=False)["state"]["key"].tolist()),
    )


@pytest.fixture(autouse=True)
def unusual_random_states() -> None:
    torch.manual_seed(4711)
    random.seed(4711)
    np.random.seed(4711)


def mixed_mode() -> ManyParts:
    module = ManyParts()
    module.norm.eval()
    module.first.weight.grad = torch.full_like(module.first.weight, 3.0)
    module.first.register_forward_hook(lambda *_: None)
    return module


@pytest.mark.parametrize("asked", [*ALL, "all"])
def test_the_module_and_the_batch_come_back_untouched(asked: str) -> None:
    module = mixed_mode()
    inputs, labels = batch()
    inputs_before, labels_before = inputs.clone(), labels.clone()
    before, states, gradients_on = snapshot(module), random_states(), torch.is_grad_enabled()
    score(module, inputs, labels, ALL if asked == "all" else [asked], **DESCRIBED)
    assert snapshot(module) == before
    assert random_states() == states
    assert torch.is_grad_enabled() == gradients_on
    assert torch.equal(inputs, inputs_before) and torch.equal(labels, labels_before)
    assert inputs.grad is None and not inputs.requires_grad


def test_the_world_is_restored_after_an_error() -> None:
    module = mixed_mode()
    inputs, labels = batch()
    before, states = snapshot(module), random_states()
    with pytest.raises(ValueError, match="targets"):
        score(module, inputs, labels + CLASSES, ["naswot", "snip"])
    assert snapshot(module) == before
    assert random_states() == states


@given(asked=st.permutations(ALL), count=st.integers(1, len(ALL)))
@settings(max_examples=6, deadline=None)
def test_a_value_does_not_depend_on_the_proxies_beside_it(asked: list[str], count: int) -> None:
    module, (inputs, labels) = mixed_mode(), batch()
    together = score(module, inputs, labels, asked[:count], **DESCRIBED)
    assert list(together) == asked[:count]
    for name, result in together.items():
        alone = score(module, inputs, labels, [name], **DESCRIBED)[name]
        assert result.value == pytest.approx(alone.value, rel=1e-12, nan_ok=True)


def test_gradient_proxies_share_one_forward_pass() -> None:
    module, (inputs, labels) = chain(), batch()
    calls: list[int] = []
    module[5].register_forward_hook(lambda *_: calls.append(1))
    score(module, inputs, labels, ["snip", "grad_norm", "plain", "fisher", "jacob_cov", "grasp", "epe_nas"])
    assert len(calls) == 1


@pytest.mark.parametrize("name", ["snip", "naswot", "synflow"])
def test_dropout_follows_the_seed_and_not_the_global_state(name: str) -> None:
    module = nn.Sequential(nn.Dropout(0.4), *chain())
    inputs, labels = batch()

    def value(seed: int) -> float:
        return score(module, inputs, labels, [name], seed=seed)[name].value

    first = value(7)
    torch.manual_seed(99)
    assert value(7) == first != value(8)


def test_snip_with_dropout_by_definition() -> None:
    module = nn.Sequential(nn.Dropout(0.4), *chain())
    inputs, labels = batch()
    weights = [module[index].weight for index in (1, 3, 6)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        gradients = torch.autograd.grad(F.cross_entropy(module(inputs), labels), weights)
    expected = sum(float((w.detach() * g).abs().sum()) for w, g in zip(weights, gradients, strict=True))
    result = score(module, inputs, labels, ["snip"], seed=7)["snip"]
    assert result.value == pytest.approx(expected, rel=1e-12)


def test_frozen_weights_count_and_orphans_are_reported() -> None:
    module, (inputs, labels) = ManyParts(), batch()
    frozen = score(module, inputs, labels, ["snip"])["snip"]
    module.head.weight.requires_grad_(True)
    assert score(module, inputs, labels, ["snip"])["snip"].value == frozen.value
    assert (frozen.layers_used, frozen.layers_skipped) == (2, ("orphan",))


@pytest.mark.parametrize(("prepare", "mode"), [("train", "train"), ("eval", "eval"), ("mixed", "mixed")])
def test_the_mode_is_the_callers_and_is_stated(prepare: str, mode: str) -> None:
    module, (inputs, _) = ManyParts(), batch()
    module.train(prepare != "eval")
    module.norm.train(prepare == "train")
    results = score(module, inputs, proxies=["naswot", "flops", "params"])
    assert [r.mode for r in results.values()] == [mode, "eval", "none"]
    assert all(r.seconds > 0 for r in results.values())


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, lambda: torch.autocast("cpu")])
def test_the_callers_contexts_do_not_matter(context: Any) -> None:
    asked = ["snip", "naswot", "synflow"]
    inputs, labels = batch(dtype=torch.float32)
    expected = score(chain(normalised=True).float(), inputs, labels, asked)
    with context():
        found = score(chain(normalised=True).float(), inputs.clone(), labels.clone(), asked)
    assert [r.value for r in found.values()] == [r.value for r in expected.values()]


class Noisy(nn.Module):
    """Draws from Python's and numpy's global generators."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = chain()

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.inner(x) * (1 + random.random()) + np.random.standard_normal()
        return logits


def test_numpys_and_pythons_generators_follow_the_seed_too() -> None:
    inputs, labels = batch()
    values = [score(Noisy(), inputs, labels, ["snip"], seed=seed)["snip"].value for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]


def test_shared_work_does_not_shift_a_proxys_own_random_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_PROXIES", dict(registry._PROXIES))

    @proxy(name="drawn", higher_is_better=True, needs=("labels",), mode="as-is", summary="", source="")
    def drawn(context: Context) -> Measurement:
        assert context.gradients.weights
        return Measurement(float(torch.rand(())))

    module, (inputs, labels) = ManyParts(), batch()
    alone = score(module, inputs, labels, ["drawn"])["drawn"].value
    assert score(module, inputs, labels, ["snip", "drawn"])["drawn"].value == alone


def test_a_module_that_keeps_a_tensor_with_a_history() -> None:
    module, (inputs, labels) = ManyParts().eval(), batch()
    fresh = score(module, inputs, labels, ["snip"])["snip"].value
    module(inputs.clone())
    kept = module.kept
    assert kept is not None and kept.grad_fn is not None
    assert score(module, inputs, labels, ["snip"])["snip"].value == fresh
    assert module.kept is kept


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_old_style_weight_norm() -> None:
    module = nn.Sequential(
        nn.utils.weight_norm(nn.Conv2d(3, 4, 3)), nn.ReLU(), nn.Flatten(), nn.Linear(144, CLASSES)
    )
    inputs, labels = batch(dtype=torch.float32)
    result = score(module, inputs, labels, ["snip"])["snip"]
    assert (result.layers_used, result.layers_skipped) == (1, ("0",))


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = chain()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        logits: Tensor = self.inner(x)
        return logits, x


def test_select_output() -> None:
    inputs, labels = batch()
    with pytest.raises(ValueError, match=r"select_output: the outputs are a tuple.*lambda o: o\[0\]"):
        score(Pair(), inputs, labels)
    asked = [name for name in ALL if name not in ("params", "cv", "epsilon", "epsilon64", "gennas", "zen")]
    given = described(chain())
    selected = score(Pair(), inputs, labels, asked, select_output=lambda o: o[0], **given)
    plain = score(chain(), inputs, labels, asked, **given)
    assert [repr(r.value) for r in selected.values()] == [repr(r.value) for r in plain.values()]


def test_class_probabilities_are_targets_too() -> None:
    inputs, labels = batch()
    one_hot = F.one_hot(labels, CLASSES).double()
    by_label = score(chain(), inputs, labels, ["snip"])["snip"].value
    assert score(chain(), inputs, one_hot, ["snip"])["snip"].value == pytest.approx(by_label, rel=1e-12)


class ComplexGain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(2, dtype=torch.complex64))


X, Y = batch()
Y[:2] = torch.tensor([0, CLASSES - 1])
BAD_ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"proxies": ["synflw"]}, "no proxy 'synflw'; did you mean synflow"),
    ({"proxies": "synflow"}, r"proxies: pass a sequence of names, such as \('synflow',\)"),
    ({"proxies": []}, "proxies: empty; choose from az_exp"),
    ({"module": nn.ReLU()}, "module: it has no parameters"),
    ({"module": "resnet"}, "module: a str; pass a torch.nn.Module"),
    ({"module": chain().half()}, "module: its parameters are float16; use float32 or float64"),
    ({"module": chain().bfloat16()}, "module: its parameters are bfloat16; use float32"),
    ({"module": ComplexGain()}, "module: its parameters are complex64"),
    ({"module": nn.Sequential(chain(), nn.Linear(5, 5))}, "module: its parameters are float32, float64"),
    ({"module": nn.LazyLinear(3)}, "module: it has lazy parameters"),
    ({"inputs": X.numpy()}, "inputs: a ndarray; pass a tensor"),
    ({"inputs": X[0, 0, 0]}, r"inputs: the shape is \(8,\); pass one or more images"),
    ({"inputs": X[:0]}, r"inputs: the shape is \(0, 3, 8, 8\)"),
    ({"inputs": X.float()}, "inputs: the dtype is float32, the module's float64; pass images of float64"),
    ({"inputs": X.to(torch.complex128)}, "inputs: the dtype is complex128"),
    ({"inputs": (X * 255).to(torch.uint8)}, "inputs: the dtype is uint8"),
    ({"inputs": X.to("meta")}, r"inputs: they are on meta, the module is on cpu; use inputs.to\('cpu'\)"),
    ({"inputs": X / 0}, "inputs: they hold NaN or infinite values"),
    ({"inputs": X[:1], "targets": Y[:1]}, "inputs: naswot compares images; pass .* two or more, not 1"),
    ({"inputs": None, "targets": None, "proxies": ["naswot"]}, "inputs: naswot needs a batch of images"),
    ({"inputs": None, "targets": None}, "input_shape: flops needs the shape of one image"),
    ({"inputs": None, "targets": None, "proxies": ["synflow"]}, "input_shape: synflow needs the shape"),
    ({"targets": None}, "targets: grad_norm needs one label for each image"),
    ({"targets": Y[:3]}, r"targets: shape \(3,\); pass a tensor with one entry for each of 6 images"),
    ({"targets": [1, 2]}, "targets: list; pass a tensor"),
    ({"targets": Y.to("meta")}, "targets: they are on meta, the inputs on cpu"),
    ({"targets": Y + 5}, r"targets: labels from 5 to 9, for 5 outputs; they must lie in 0\.\.4"),
    ({"targets": Y - 5}, "targets: labels from -5 to -1, for 5 outputs"),
    ({"targets": Y.int()}, "targets: torch.int32 of shape"),
    ({"targets": Y[:, None]}, r"pass int64 labels of shape \(6,\)"),
    ({"targets": Y.double()}, r"targets: as class probabilities they need the shape \(6, 5\)"),
    ({"input_shape": (3, 9, 9)}, r"input_shape: \(3, 9, 9\), but the inputs hold .* \(3, 8, 8\)"),
    ({"inputs": None, "input_shape": (3, 0)}, "input_shape: .* pass the shape of one image"),
    ({"seed": -1}, "seed: -1; pass a whole number from 0"),
    ({"seed": 1.5}, "seed: 1.5; pass a whole number"),
    ({"network": "a"}, "network: a str; pass a Network"),
    ({"proxies": 5}, "proxies: a int; pass a sequence of names"),
    ({"proxies": [["a"]]}, r"proxies: \['a'\] is neither a name nor a Proxy"),
    ({"inputs": None, "input_shape": 3}, "input_shape: 3; pass a shape without batch"),
    ({"loss": lambda o, t: F.cross_entropy(o, t, reduction="none")}, r"loss: it returned the shape \(6,\)"),
    ({"select_output": lambda o: o[:, 0]}, "select_output: cross-entropy needs outputs of the shape"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "message"), BAD_ARGUMENTS)
def test_a_bad_argument_is_named_with_what_would_be_right(changed: dict[str, Any], message: str) -> None:
    asked = ["flops", "grad_norm", "naswot", "params", "snip", "synflow"]
    arguments = {"module": chain(), "inputs": X, "targets": Y, "proxies": asked} | changed
    with pytest.raises(ValueError, match=message):
        score(**arguments)


def test_a_module_on_the_meta_device_has_no_weights_to_score() -> None:
    with pytest.raises(ValueError, match="module: it is on the meta device, without values; synflow needs"):
        score(chain().to("meta"), input_shape=SHAPE, proxies=["synflow"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_torchscript_is_refused_where_it_hides_the_layers() -> None:
    inputs, labels = batch()
    traced = torch.jit.trace(chain(), inputs)
    values = [score(module, inputs, proxies=["naswot"])["naswot"].value for module in (traced, chain())]
    assert values[0] == values[1]
    with pytest.raises(ValueError, match="module: snip cannot look into TorchScript"):
        score(traced, inputs, labels, ["snip"])


def test_a_module_that_cannot_be_copied_is_said() -> None:
    module = chain()
    module.stream = (step for step in range(3))
    with pytest.raises(ValueError, match=r"module: copy\.deepcopy failed .*remove the attribute"):
        score(module, input_shape=SHAPE, proxies=["synflow"])


def test_an_error_inside_the_module_is_not_turned_into_a_score() -> None:
    with pytest.raises(RuntimeError, match="expected input"):
        score(chain(), input_shape=(4, 8, 8), proxies=["synflow"])


MEMORY = """
import resource, torch
from hwnas.proxies import score
from torch import nn
module = nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64 * 900, 2))
images = torch.zeros(64, 3, 32, 32)
score(module, images[:4], proxies=["naswot"])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 4 * 2**20, -1))
try:
    score(module, images, proxies=["naswot"])
except MemoryError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space are Linux's")
def test_a_batch_that_does_not_fit_is_said_and_never_split() -> None:
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert "naswot of 64 images does not fit into memory; pass fewer images" in done.stdout
