import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.proxies import get, score
from hwnas.proxies.context import Context
from hwnas.proxies.measures.zen import zen_with

from .networks import SHAPE, batch, chain, encoder
from .staged import Staged, maps
from .test_golden import VALUES, build

REFERENCE = "zennas.compute_nas_score(gamma=0.01,res=16,batch=16,repeat={})"


def zen(module: nn.Module, **options: object) -> float:
    options.setdefault("input_shape", SHAPE)
    return score(module, proxies=["zen"], **options)["zen"].value  # type: ignore[arg-type]


@pytest.mark.skipif(not VALUES, reason="no golden values")
@pytest.mark.parametrize("name", VALUES)
def test_one_repeat_of_the_published_implementation(name: str) -> None:
    expected = VALUES[name]["seed0"]["float32"]["train"][REFERENCE.format(1)]
    with torch.random.fork_rng():
        torch.manual_seed(1234)  # building the network draws too: the reference drew after it
        module = build(name, "seed0", "float32", "train")[0]
        context = Context(module, "train", None, None, (3, 16, 16), F.cross_entropy, None, 0)
        assert get("zen").function(context).value == pytest.approx(expected, rel=1e-6)


@pytest.mark.skipif(not VALUES, reason="no golden values")
def test_more_repeats_do_not_raise_the_score_as_they_do_in_the_published_implementation() -> None:
    values = VALUES["resnet_bn"]["seed0"]["float32"]["train"]
    module = build("resnet_bn", "seed0", "float32", "train")[0]
    results = score(module, input_shape=(3, 16, 16), proxies=["zen", zen_with(repeats=4)])
    assert values[REFERENCE.format(4)] - values[REFERENCE.format(1)] > 1.5
    assert results["zen_4"].value == pytest.approx(results["zen"].value, abs=0.3)


def test_by_hand() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 2),
    )
    with torch.random.fork_rng():
        torch.manual_seed(5)
        weight, _ = torch.randn(4, 3, 3, 3), torch.randn(2, 4)
        x, e = torch.randn(16, *SHAPE), torch.randn(16, *SHAPE)
    inputs = [F.conv2d(images, weight) for images in (x, x + 0.01 * e)]
    f = [F.relu(F.batch_norm(one, None, None, training=True)) for one in inputs]
    first, second = (one.var((0, 2, 3)) for one in inputs)
    r = 0.81 + 0.09 * first + 0.1 * second
    expected = math.log((f[0] - f[1]).abs().sum((1, 2, 3)).mean()) + 0.5 * math.log(r.mean())
    assert zen(module, seed=5) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("options", [{"affine": False}, {"track_running_stats": False}, {"momentum": None}])
def test_how_batch_normalisation_is_set_up_does_not_matter(options: dict[str, object]) -> None:
    def net(**options: object) -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, **options), nn.ReLU())  # type: ignore[arg-type]

    assert zen(net(**options)) == pytest.approx(zen(net()), rel=1e-6)


def test_the_modules_own_weights_statistics_and_mode_do_not_matter() -> None:
    first, second = Staged(), Staged().eval()
    with torch.no_grad():
        for tensor in second.state_dict().values():
            tensor.mul_(3)
    assert zen(first) == zen(second)


def test_float64_draws_the_numbers_of_float32() -> None:
    assert zen(Staged().float()) == pytest.approx(zen(Staged()), rel=1e-4)


def test_dropout_is_the_same_in_both_passes() -> None:
    class Dropped(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            return F.dropout(super().forward(x), 0.5, self.training)

    layers = [nn.Conv2d(3, 4, 3), nn.ReLU()]
    with_dropout, without = zen(Dropped(*layers)), zen(nn.Sequential(*layers))
    assert with_dropout == pytest.approx(without, abs=0.3)  # half of the units, twice as large


class SqueezeAndExcite(nn.Module):
    """Global pooling inside, a convolution and a normalisation after the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.gate = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1)
        self.late, self.norm = nn.Conv2d(4, 6, 1), nn.BatchNorm2d(6)

    def map(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        return x * self.gate(x.mean((2, 3), keepdim=True)).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.late(F.adaptive_avg_pool2d(self.map(x), 1))).flatten(1)  # type: ignore[no-any-return]


class MapOnly(nn.Module):
    """What a module does up to its last map."""

    def __init__(self, module: nn.Module, last_map: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.module, self.last_map = module, last_map

    def forward(self, x: Tensor) -> Tensor:
        return self.last_map(self.module, x)


def test_the_map_before_the_last_global_pooling_is_found() -> None:
    seen = zen(SqueezeAndExcite())
    assert seen == zen(MapOnly(SqueezeAndExcite(), lambda module, x: module.map(x)))  # type: ignore[operator]
    result = score(SqueezeAndExcite(), input_shape=SHAPE, proxies=["zen"])["zen"]
    assert (result.layers_used, result.layers_skipped) == (0, ())


def test_the_map_of_one_pixel_that_a_strided_convolution_makes_is_found() -> None:
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 6), nn.ReLU())
    module = nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 2))
    assert zen(module) == zen(MapOnly(module, lambda module, x: module[0](x)))  # type: ignore[index]


def test_a_layer_called_twice_and_functional_activations() -> None:
    result = score(Staged(), input_shape=SHAPE, proxies=["zen"])["zen"]
    assert result.value == zen(MapOnly(Staged(), lambda module, x: maps(module, x)[-1]))
    assert (result.layers_used, result.layers_skipped, result.mode) == (1, (), "train")


class Functional(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(super().forward(x), None, None, training=True)


def test_normalisations_without_a_scale_are_named() -> None:
    module = Functional(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4))
    result = score(module, input_shape=SHAPE, proxies=["zen"])["zen"]
    assert result.layers_skipped == ("batch_norm", "1")
    assert math.isfinite(result.value)


def test_a_network_that_ignores_its_input() -> None:
    class Blind(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x * 0.0)

    result = score(Blind(nn.Conv2d(3, 4, 3)), input_shape=SHAPE, proxies=["zen"])["zen"]
    assert result.value == -math.inf and "does not depend on the input" in str(result.reason)


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(192, 5)), SHAPE),
        (encoder(), (4, 8)),
        (nn.Conv1d(3, 4, 3), (3, 9)),
    ],
)
def test_without_a_feature_map_there_is_a_reason(module: nn.Module, shape: tuple[int, ...]) -> None:
    result = score(module, input_shape=shape, proxies=["zen"])["zen"]
    assert math.isnan(result.value) and "no feature map" in str(result.reason)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_modules_whose_weights_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(ValueError, match="module: zen cannot look into TorchScript"):
        zen(torch.jit.trace(chain(), batch()[0]))
    with pytest.raises(ValueError, match="module: it is on the meta device, without values; zen needs"):
        zen(chain().to("meta"))


def test_values_that_overflow_are_said() -> None:
    module = nn.Sequential(*(nn.Conv2d(3 if n == 0 else 256, 256, 1) for n in range(40)))
    result = score(module, input_shape=SHAPE, proxies=["zen"])["zen"]
    assert math.isnan(result.value) and "not finite" in str(result.reason)


def test_seeds_and_repeats() -> None:
    values = [zen(chain(), seed=seed) for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]
    with pytest.raises(ValueError, match="repeats: 0; draw the network at least once"):
        zen_with(repeats=0)
