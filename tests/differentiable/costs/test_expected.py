import numpy as np
import pytest
import torch

from hwnas.cost import count
from hwnas.differentiable.costs.expected import expected_count, expected_latency
from hwnas.differentiable.supernet.parameters import initial_logits
from hwnas.differentiable.supernet.relaxations import fixed, softmax
from hwnas.differentiable.supernet.weights import CandidateWeights
from hwnas.latency.predictors.composition import Composition
from hwnas.latency.predictors.lookup import LookupPredictor
from hwnas.latency.predictors.parts import MissingBlockError
from hwnas.network.network import Network
from hwnas.spaces.supernetwork import Supernetwork
from tests.differentiable.spaces import CHAINS, SPACES, SUPERNETWORKS

WEIGHTS = {name: CandidateWeights(supernetwork) for name, supernetwork in SUPERNETWORKS.items()}
LINES = {
    "sum": Composition(),
    "line": Composition(0.3, 0.8, 1.0),
    "negative offset": Composition(-0.5, 0.9, 5.0),
    "below the smallest sum": Composition(-20.0, 0.9, 1000.0),
}
every_space = pytest.mark.parametrize("name", SPACES)
every_count = pytest.mark.parametrize("counted", ["flops", "macs", "params"])


def lookup(supernetwork: Supernetwork, line: Composition) -> LookupPredictor:
    """A look-up of every block that networks without `none` have, each with a latency of its own."""
    candidates = [one.network for mixture in supernetwork.mixtures.values() for one in mixture]
    blocks: dict[str, Network] = {}
    for network in (*supernetwork.fixed, *filter(None, candidates)):
        parts = [network] if network.is_innermost else [inner for _, inner in network.blocks()]
        blocks.update((part.key, part) for part in parts)
    rng = np.random.default_rng(0)
    predictor = LookupPredictor({key: float(rng.uniform(0.1, 2)) for key in blocks})
    predictor.composition = line
    return predictor


@every_space
@every_count
def test_one_hot_it_is_what_the_counter_says(name: str, counted: str):
    expected = expected_count(WEIGHTS[name], counted)
    for architecture in SPACES[name].sample(5, seed=0):
        probabilities = fixed(SUPERNETWORKS[name].one_hot(architecture)).probabilities
        assert float(expected(probabilities)) == getattr(count(architecture.network).whole, counted)


@pytest.mark.parametrize("name", [*CHAINS, "darts"])
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_one_hot_the_latency_is_what_the_predictor_says(name: str, line: Composition):
    predictor = lookup(SUPERNETWORKS[name], line)
    expected = expected_latency(WEIGHTS[name], predictor)
    for architecture in SPACES[name].sample(5, seed=0):
        probabilities = fixed(SUPERNETWORKS[name].one_hot(architecture)).probabilities
        assert float(expected(probabilities)) == pytest.approx(predictor.predict([architecture.network])[0])


def test_an_edge_without_operation_still_counts_its_addition():
    space, supernetwork = SPACES["nasbench201"], SUPERNETWORKS["nasbench201"]
    predictor = lookup(supernetwork, Composition())
    expected = expected_latency(WEIGHTS["nasbench201"], predictor)
    whole = "|nor_conv_3x3~0|+|skip_connect~0|avg_pool_3x3~1|+|nor_conv_1x1~0|nor_conv_1x1~1|skip_connect~2|"
    for text in (whole, whole.replace("nor_conv_1x1~1", "none~1")):
        architecture = space.parse(text)
        additions = [
            network
            for path, network in architecture.network.blocks()
            if network.layers[0].op == "Add" and "cell" in path
        ]
        found = float(expected(fixed(supernetwork.one_hot(architecture)).probabilities))
        exact = predictor.predict([architecture.network])[0]
        missing = (9 - len(additions)) // 3
        assert missing == text.count("none")
        saved = sum(predictor.part_ms[key] for key in {network.key for network in additions}) * missing
        assert found == pytest.approx(exact + saved)


def test_it_is_the_mean_over_draws_of_independent_choices():
    supernetwork = SUPERNETWORKS["nasbench201"]
    rng = np.random.default_rng(0)
    shares = {group: rng.dirichlet(np.ones(5)) for group in supernetwork.groups}
    expected = expected_count(WEIGHTS["nasbench201"], "flops")(fixed(shares).probabilities)
    draws = [
        SPACES["nasbench201"].from_encoding([rng.choice(5, p=shares[group]) for group in supernetwork.groups])
        for _ in range(2000)
    ]
    values = np.array([count(one.network).whole.flops for one in draws])
    assert float(expected) == pytest.approx(values.mean(), abs=4 * values.std() / len(values) ** 0.5)


@every_space
@every_count
def test_its_gradient_is_not_zero_and_that_of_finite_differences(name: str, counted: str):
    expected = expected_count(WEIGHTS[name], counted)
    check_gradient(name, expected)


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_so_is_that_of_the_latency(name: str, line: Composition):
    check_gradient(name, expected_latency(WEIGHTS[name], lookup(SUPERNETWORKS[name], line)))


def check_gradient(name: str, expected) -> None:
    drawn = initial_logits(SUPERNETWORKS[name], np.random.default_rng(1))
    logits = {group: (1000 * values).detach().double().requires_grad_() for group, values in drawn.items()}
    expected(softmax(logits).probabilities).backward()
    gradients = {group: values.grad.clone() for group, values in logits.items()}
    assert all(gradient.abs().max() > 0 for gradient in gradients.values())
    for group in list(gradients)[::7]:
        for choice in range(len(gradients[group])):
            sides = []
            for step in (1e-4, -1e-4):
                moved = {key: values.detach().clone() for key, values in logits.items()}
                moved[group][choice] += step
                sides.append(float(expected(softmax(moved).probabilities)))
            assert gradients[group][choice].item() == pytest.approx(
                (sides[0] - sides[1]) / 2e-4, rel=1e-5, abs=1e-6 * sides[0]
            )


def test_a_table_that_lacks_blocks_is_named():
    with pytest.raises(MissingBlockError, match="the table lacks"):
        expected_latency(WEIGHTS["fbnet"], LookupPredictor({}))


def test_an_unknown_count_is_named():
    with pytest.raises(ValueError, match="no expected count 'energy'; there are flops, macs, params"):
        expected_count(WEIGHTS["fbnet"], "energy")


def test_in_float32_the_expectation_is_exact_all_the_same():
    logits = {group: torch.zeros(len(labels)) for group, labels in SUPERNETWORKS["fbnet"].groups.items()}
    uniform = {
        group: np.full(len(labels), 1 / len(labels))
        for group, labels in SUPERNETWORKS["fbnet"].groups.items()
    }
    found = expected_count(WEIGHTS["fbnet"], "flops")(softmax(logits).probabilities)
    plain = SUPERNETWORKS["fbnet"].expected(lambda block: count(block).whole.flops, uniform)
    assert float(found) == pytest.approx(plain, rel=1e-6)
