import csv
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.network.to_torch import to_torch
from hwnas.proxies import ProxyResult, get, score
from hwnas.proxies.epsilon.formula import relative_difference, rescaled
from hwnas.proxies.measures.epsilon import epsilon_with
from hwnas.spaces import NASBench201
from tests.proxies.processor import ROUNDS_AS_THE_REFERENCE

from .networks import ManyParts, batch, chain, fill
from .test_golden import CASES, FOLDER, VALUES, build

PUBLISHED_DROPOUT_SEED = 21
ACCURACY = FOLDER.parent / "data" / "nasbench201" / "cifar10_accuracy.csv"


class Branches(nn.Module):
    """A residual block between a stem and a classifier, in float64."""

    def __init__(self, classes: int = 5, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.body = nn.Conv2d(6, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6, eps=eps)
        self.head = nn.Linear(6, classes)
        fill(self)
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        features = self.stem(x)
        features = F.relu(features + self.norm(self.body(features)))
        logits: Tensor = self.head(features.mean((2, 3)))
        return logits


def epsilon(module: nn.Module, inputs: Tensor, *, seed: int = 0, **options: object) -> ProxyResult:
    return score(module, inputs, proxies=[epsilon_with(name="it", **options)], seed=seed)["it"]


@pytest.mark.skipif(not VALUES, reason=f"no golden values in {FOLDER}")
@pytest.mark.parametrize(("name", "seed", "dtype", "mode"), CASES)
@pytest.mark.parametrize("weights", [(1e-7, 1), (0.0001, 10), (0.1, 1)])
def test_values_of_the_published_code(
    name: str, seed: str, dtype: str, mode: str, weights: tuple[float, float]
) -> None:
    key = f"epsinas.compute_epsinas(w={weights[0]},{weights[1]})"
    expected = float(VALUES[name][seed][dtype][mode][key])
    module, inputs, _ = build(name, seed, dtype, mode)
    result = epsilon(
        module,
        inputs,
        weights=weights,
        dtype=getattr(torch, dtype),
        mode=mode,
        exact_zeros=True,
        seed=PUBLISHED_DROPOUT_SEED,
    )
    assert (result.mode, result.dtype) == (mode, dtype)
    is_noise = name in ("plain_bn", "linear_dropout", "no_bn")
    assert (result.note is not None) == (is_noise and not math.isnan(expected))
    if dtype == "float64" or expected > 1e-3 or math.isnan(expected):
        tolerance = 1e-9 if dtype == "float64" else 1e-5
        if not ROUNDS_AS_THE_REFERENCE:  # equal classes that rounding tells apart count as different
            tolerance = 0.1
        assert result.value == pytest.approx(expected, rel=tolerance, abs=1e-12, nan_ok=True)


@pytest.mark.skipif(not VALUES, reason=f"no golden values in {FOLDER}")
def test_the_published_value_depends_on_the_rounding_of_equal_classes() -> None:
    """Ours is the same in both number types; the published one counts other copies of the minimum as 0."""
    key = "epsinas.compute_epsinas(w=1e-07,1)"
    both = {dtype: VALUES["resnet_bn"]["seed0"][dtype]["eval"][key] for dtype in ("float32", "float64")}
    assert both["float32"] / both["float64"] == pytest.approx(0.948, abs=1e-3)
    ours = {
        dtype: epsilon(
            *build("resnet_bn", "seed0", dtype, "eval")[:2],
            weights=(1e-7, 1),
            dtype=getattr(torch, dtype),
            mode="eval",
        ).value
        for dtype in both
    }
    assert ours["float64"] == pytest.approx(0.31996959, rel=1e-7)
    assert ours["float32"] == pytest.approx(ours["float64"], rel=1e-6)


def test_the_formula_by_hand() -> None:
    first, second = torch.tensor([1.0, 2.0, 3.0, 5.0]), torch.tensor([10.0, 40.0, 20.0, 30.0])
    # rescaled: 0, 1/4, 1/2, 1 and 0, 1, 1/3, 2/3; the zeros are missing
    difference = (3 / 4 + 1 / 6 + 1 / 3) / 3
    mean = (1 / 4 + 1 / 2 + 1 + 1 + 1 / 3 + 2 / 3) / 6
    assert relative_difference(rescaled(first), rescaled(second)) == pytest.approx(
        difference / mean, rel=1e-6
    )


def test_copies_of_the_minimum_are_zero_up_to_rounding() -> None:
    outputs = torch.tensor([3.0, 3.0 + 1e-15, 7.0, 5.0], dtype=torch.float64)
    assert rescaled(outputs).tolist() == [0, 0, 1, 0.5]
    assert rescaled(outputs, exact_zeros=True)[1] > 0


def test_the_definition_step_by_step() -> None:
    module, (inputs, _) = Branches(), batch()
    values = []
    for weight in (1e-4, 1.0):
        twin = Branches().train()
        with torch.no_grad():
            for name, parameter in twin.named_parameters():
                parameter.fill_(weight if name.endswith("weight") else 0)
            outputs = twin(inputs).flatten()
        values.append((outputs - outputs.min()) / (outputs.max() - outputs.min()))
    stacked = torch.stack(values)
    stacked[stacked < 1e-12] = torch.nan
    expected = (stacked[0] - stacked[1]).abs().nanmean() / stacked.nanmean()
    result = score(module, inputs, proxies=["epsilon64"])["epsilon64"]
    assert result.value == pytest.approx(float(expected), rel=1e-12)
    assert (result.layers_used, result.layers_skipped, result.note) == (4, (), None)


@settings(max_examples=10, deadline=None)
@given(
    exponents=st.lists(st.floats(-4, 1), min_size=2, max_size=2, unique=True),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_symmetric_in_the_weights_and_zero_for_equal_ones(exponents: list[float], dtype: torch.dtype) -> None:
    module, (inputs, _) = Branches(), batch()
    first, second = (10.0**exponent for exponent in exponents)
    there, back, same = (
        epsilon(module, inputs, weights=pair, dtype=dtype)
        for pair in ((first, second), (second, first), (first, first))
    )
    assert there.value == back.value
    assert (same.value, same.note) == (0, None)


@pytest.mark.parametrize("proxy", ["epsilon", "epsilon64"])
def test_the_number_of_classes_does_not_matter(proxy: str) -> None:
    inputs, _ = batch(16)
    values = [score(Branches(n), inputs, proxies=[proxy])[proxy].value for n in (1, 2, 10, 100)]
    assert values == pytest.approx([values[0]] * 4, rel=1e-6)


def test_the_scale_of_the_images_does_not_matter_without_normalisation() -> None:
    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 3)
            self.double()

        def forward(self, x: Tensor) -> Tensor:
            features = self.stem(x)
            logits: Tensor = self.head(
                (features + F.relu(self.stem(features.mean(1, True).expand(-1, 3, -1, -1)))).mean((2, 3))
            )
            return logits

    inputs, _ = batch(12)
    values = [epsilon(Skip(), inputs * scale, weights=(1e-2, 1)).value for scale in (1, 8, 1e-3)]
    assert values[0] > 1e-3
    assert values == pytest.approx([values[0]] * 3, rel=1e-9)


def test_the_values_of_the_weights_do_not_matter_and_come_back() -> None:
    module, (inputs, _) = ManyParts(), batch()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    kept = inputs.clone()
    first = epsilon(module, inputs)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert torch.equal(inputs, kept)
    assert (module.calls, module.kept) == (0, None)
    assert epsilon(fill(module, 5), inputs).value == first.value


def test_both_weights_see_the_same_dropout_masks() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(192, 24), nn.ReLU(), nn.Dropout(0.5), nn.Linear(24, 3))
    result = epsilon(module.double(), batch()[0])
    assert result.value < 1e-12
    assert result.note is not None and result.note.startswith("rounding noise")


def test_a_chain_is_noted_as_noise_and_branches_are_not() -> None:
    inputs = batch()[0]
    for module in (chain(), chain(normalised=True)):
        for proxy in ("epsilon", "epsilon64"):
            note = score(module, inputs, proxies=[proxy])[proxy].note
            assert note is not None and note.startswith("rounding noise"), proxy
    for proxy in ("epsilon", "epsilon64"):
        assert score(Branches(), inputs, proxies=[proxy])[proxy].note is None


def test_undefined_values_say_why() -> None:
    inputs = batch(dtype=torch.float32)[0]
    deep = nn.Sequential(nn.Flatten(), *(nn.Linear(192, 192) for _ in range(9)))
    low = epsilon(deep, inputs, weights=(1e-7, 0.1), dtype=torch.float32)
    assert math.isnan(low.value)
    assert low.reason == "all outputs are equal (0) with the weight 1e-07: they underflow"
    high = epsilon(deep, inputs, weights=(0.1, 1e6), dtype=torch.float32)
    assert high.reason is not None and "with the weight 1e+06" in high.reason
    same = epsilon(Branches(), torch.ones(4, 3, 8, 8, dtype=torch.float64))
    assert same.reason is not None and "they do not tell the images apart" in same.reason


class Tokens(nn.Module):
    """A recurrent language model; the images are its token numbers."""

    def __init__(self, *, tied: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        self.cell = nn.GRU(8, 8, batch_first=True)
        self.scale = nn.Parameter(torch.rand(8))
        self.decoder = nn.Linear(8, 11)
        if tied:
            self.decoder.weight = self.embedding.weight

    def forward(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self.cell(self.embedding(tokens.long()))[0] * self.scale)
        return logits


def test_embeddings_keep_their_values() -> None:
    torch.manual_seed(0)
    tokens = torch.randint(0, 11, (4, 6)).float()
    free = epsilon(Tokens(tied=False), tokens, weights=(1e-3, 1))
    assert free.value > 1e-3
    assert (free.layers_used, free.layers_skipped) == (2, ("(root)", "embedding"))
    tied = epsilon(Tokens(tied=True), tokens, weights=(1e-3, 1))
    assert math.isfinite(tied.value)
    assert (tied.layers_used, tied.layers_skipped) == (1, ("(root)", "embedding", "decoder"))


def test_attention_is_covered_whole() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0, batch_first=True)
    inputs = torch.randn(3, 4, 8, generator=torch.Generator().manual_seed(0))
    results = [epsilon(fill(layer, seed), inputs, weights=(1e-2, 1)) for seed in (0, 1)]
    assert results[0].value == results[1].value
    assert results[0].layers_skipped == ()


def test_the_registered_pairs() -> None:
    module, (inputs, _) = Branches(), batch(dtype=torch.float64)
    found = score(module, inputs, proxies=["epsilon", "epsilon64"])
    assert found["epsilon"].value == epsilon(module, inputs, weights=(1e-7, 1), dtype=torch.float32).value
    assert found["epsilon64"].value == epsilon(module, inputs).value
    assert [found[name].dtype for name in found] == ["float32", "float64"]
    assert all(get(name).needs == {"data"} and get(name).mode == "train" for name in found)


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"inputs: epsilon compares images; pass a batch of two or more"):
        score(Branches(), batch(1)[0], proxies=["epsilon"])
    for weights in ((0, 1), (1.0,), (1, math.inf), (-1, 1), (1, 2, 3)):
        with pytest.raises(ValueError, match=r"weights: .* pass two positive finite numbers"):
            epsilon_with(weights=weights)
    with pytest.raises(ValueError, match=r"dtype: torch\.float16; choose torch\.float32"):
        epsilon_with(dtype=torch.float16)
    with pytest.raises(ValueError, match="mode: 'none'; choose 'train' or 'eval'"):
        epsilon_with(mode="none")


def test_names_tell_settings_apart() -> None:
    assert epsilon_with().name == "epsilon(0.0001, 1, float64)"
    other = epsilon_with(weights=(1e-3, 10), dtype=torch.float32, mode="eval", exact_zeros=True)
    assert other.name == "epsilon(0.001, 10, float32, eval, exact zeros)"


@pytest.mark.skipif(not ACCURACY.exists(), reason=f"no {ACCURACY}")
def test_ranks_cells_of_nasbench201_by_accuracy() -> None:
    space = NASBench201(cells=3, resolution=16)
    with ACCURACY.open() as file:
        rows = list(csv.DictReader(file))[:60]
    inputs = torch.randn(48, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    found = []
    for row in rows:
        network = space.parse(row["arch"]).network
        result = score(to_torch(network), inputs, proxies=["epsilon"], network=network)["epsilon"]
        assert result.note is None
        found.append((result.value, float(row["test_accuracy"])))
    defined = [pair for pair in found if math.isfinite(pair[0])]
    assert 20 <= len(defined) < 60
    assert spearmanr(*zip(*defined, strict=True)).statistic > 0.6
