import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.proxies import Proxy, ProxyResult, score
from hwnas.proxies.measures.zico import zico_with

from .mixture import Mixture, weights
from .networks import CLASSES, ManyParts, batch, chain
from .test_golden import CASES, DROPOUT_IS_ACTIVE, VALUES, build

REFERENCES = {2: "zico.getzico(2 batches of 8)", 4: "zico.getzico(4 batches of 4)"}
WITHOUT_A_VALUE = "cellnet"  # the reference fails on its orphan


def zico(module: nn.Module, proxy: str | Proxy = "zico", images: int = 6, **arguments: object) -> ProxyResult:
    inputs, labels = batch(images)
    return next(iter(score(module, inputs, labels, [proxy], **arguments).values()))


@pytest.mark.parametrize("batches", REFERENCES)
@pytest.mark.parametrize(("name", "seed", "dtype", "mode"), CASES)
def test_values_of_the_published_implementation(
    name: str, seed: str, dtype: str, mode: str, batches: int
) -> None:
    expected = VALUES[name][seed][dtype]["train"][REFERENCES[batches]]
    if (name, "train") == DROPOUT_IS_ACTIVE:
        pytest.skip("the reference's dropout mask is unknown")
    proxy = "zico" if batches == 2 else zico_with(batches=batches)
    result = next(iter(score(*build(name, seed, dtype, mode), [proxy]).values()))
    assert result.mode == "train"
    if name == WITHOUT_A_VALUE:
        assert "error" in expected
        assert result.layers_skipped == ("parts.1.edges.0.f.1", "orphan") and math.isfinite(result.value)
    else:
        assert result.value == pytest.approx(expected, rel=1e-12 if dtype == "float64" else 1e-4)


def by_definition(module: Mixture, inputs: Tensor, labels: Tensor, batches: int) -> float:
    value = 0.0
    parts = zip(inputs.chunk(batches), labels.chunk(batches), strict=True)
    wanted = list(weights(module).values())
    gradients = [torch.autograd.grad(F.cross_entropy(module(x), y), wanted) for x, y in parts]
    for layer in zip(*gradients, strict=True):
        rows = torch.stack(layer).flatten(1).numpy()
        mean, std = np.abs(rows).mean(0), rows.std(0)
        value += math.log((mean[std != 0] / std[std != 0]).sum())
    return value


@pytest.mark.parametrize("batches", [2, 3, 6])
def test_by_definition(batches: int) -> None:
    module = Mixture()
    result = zico(module, zico_with(batches=batches))
    assert result.value == pytest.approx(by_definition(module, *batch(), batches), rel=1e-10)
    assert (result.layers_used, result.layers_skipped) == (4, ("orphan",))
    assert result.proxy == f"zico(batches={batches})"


def test_the_default_is_two_parts() -> None:
    assert zico(ManyParts()).value == zico(ManyParts(), zico_with(batches=2)).value


@given(exponent=st.integers(-20, 20))
@settings(max_examples=10, deadline=None)
def test_the_scale_of_the_loss_does_not_matter(exponent: int) -> None:
    def scaled(outputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(outputs, targets) * 2.0**exponent

    assert zico(chain(), loss=scaled).value == pytest.approx(zico(chain()).value, rel=1e-12)


def test_a_layer_with_equal_gradients_is_left_out() -> None:
    inputs, labels = batch()
    inputs[3:], labels[3:] = inputs[:3], labels[:3]
    result = score(chain(), inputs, labels, ["zico"])["zico"]
    assert math.isnan(result.value)
    assert result.reason == "no gradient differs between the parts of the batch"
    assert (result.layers_used, result.layers_skipped) == (0, ("0", "2", "5"))


def test_three_equal_gradients_do_not_count_by_their_rounding() -> None:
    inputs, labels = batch(6)
    inputs, labels = inputs[:2].repeat(3, 1, 1, 1), labels[:2].repeat(3)
    result = next(iter(score(chain(), inputs, labels, [zico_with(batches=3)]).values()))
    assert result.reason == "no gradient differs between the parts of the batch"


def test_nan_is_said() -> None:
    module = chain()
    nn.init.constant_(module[5].bias, math.nan)
    result = zico(module)
    assert math.isnan(result.value) and result.reason == "the sum over layer '0' is nan"


@pytest.mark.parametrize("images", [1, 5])
def test_a_batch_that_does_not_split_is_named(images: int) -> None:
    with pytest.raises(ValueError, match=f"inputs: zico splits .* pass a multiple of 2 images, not {images}"):
        zico(chain(), images=images)


def test_bad_arguments_are_named() -> None:
    inputs, labels = batch()
    with pytest.raises(ValueError, match="batches: 1; gradients vary over two or more parts"):
        zico_with(batches=1)
    with pytest.raises(ValueError, match=r"targets: labels from 0 to 9, for 5 outputs"):
        score(chain(), inputs, torch.tensor([0, 0, 0, 0, 0, 9]), ["zico"])
    with pytest.raises(ValueError, match=r"pass int64 labels of shape \(6,\)"):
        score(chain(), inputs, labels[:, None], ["zico"])
    with pytest.raises(ValueError, match=r"loss: it returned the shape \(3,\)"):
        zico(chain(), loss=lambda o, t: F.cross_entropy(o, t, reduction="none"))


def test_class_probabilities_are_targets_too() -> None:
    inputs, labels = batch()
    one_hot = F.one_hot(labels, CLASSES).double()
    value = score(chain(), inputs, one_hot, ["zico"])["zico"].value
    assert value == pytest.approx(zico(chain()).value, rel=1e-9)
