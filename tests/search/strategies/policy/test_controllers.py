import itertools

import numpy as np
import pytest
import torch

from hwnas.search.strategies.policy import CONTROLLERS, Sample, make_controller
from hwnas.search.strategies.policy.activity import active_decisions
from hwnas.search.strategies.policy.sample import arrays
from hwnas.threads import one_torch_thread
from tests.search.strategies.policy.spaces import Deep, Small, finite_differences

every_controller = pytest.mark.parametrize("name", CONTROLLERS)


def made(name, space, learning_rate=0.1, seed=0):
    return make_controller(name, space, learning_rate=learning_rate, generator=np.random.default_rng(seed))


def samples(space, *encodings):
    return [Sample(encoding, active_decisions(space, encoding)) for encoding in encodings]


def everything(space):
    return samples(space, *(architecture.encoding for architecture in space))


def taught(controller, space):
    """After some steps in arbitrary directions."""
    generator = np.random.default_rng(7)
    for _ in range(5):
        drawn = samples(space, *(space.effective(controller.draw(generator)) for _ in range(4)))
        controller.ascend(drawn, lambda now: generator.standard_normal(len(now)), 0.0)
    return controller


@every_controller
@pytest.mark.parametrize("space", [Small(), Deep()], ids=str)
def test_the_probabilities_of_all_architectures_add_up_to_1(name, space):
    controller = taught(made(name, space), space)
    assert np.exp(controller.log_probabilities(everything(space))).sum() == pytest.approx(1.0)


@every_controller
@pytest.mark.parametrize("space", [Small(), Deep()], ids=str)
def test_draws_are_as_frequent_as_they_are_probable(name, space):
    controller = taught(made(name, space), space)
    generator, draws = np.random.default_rng(1), 1500
    counts = dict.fromkeys((sample.encoding for sample in everything(space)), 0)
    for _ in range(draws):
        counts[space.effective(controller.draw(generator))] += 1
    expected = draws * np.exp(controller.log_probabilities(everything(space)))
    squares = (np.array(list(counts.values())) - expected) ** 2 / expected
    assert squares.sum() < len(counts) + 6 * np.sqrt(2 * len(counts))  # χ² of mean k, variance 2k


@every_controller
def test_the_first_policy_is_almost_uniform(name):
    probabilities = np.exp(made(name, Small()).log_probabilities(everything(Small())))
    assert probabilities == pytest.approx(np.full(27, 1 / 27), rel=0.5)


@pytest.mark.parametrize("entropy", [0.0, 0.3])
def test_the_factorized_gradient_is_that_of_finite_differences(entropy):
    space = Deep()
    controller = taught(made("factorized", space), space)
    drawn = samples(space, (2, 1, 0), (0, 0, 0), (1, 2, 0), (2, 2, 2))
    encodings, active = arrays(drawn)
    weights = np.array([0.5, -1.0, 2.0, 0.1])

    def objective():
        controller._normalise()
        p, logs = controller.probabilities, controller._log_probabilities
        rows = -(p * logs).sum(axis=1)
        return (weights * controller.log_probabilities(drawn)).sum() + entropy * (active @ rows).mean()

    numeric = finite_differences(objective, controller._logits)
    controller._normalise()
    exact = controller.gradient(encodings, active, weights, entropy)
    assert exact == pytest.approx(numeric, abs=1e-7)


@pytest.mark.parametrize("entropy", [0.0, 0.3])
def test_the_recurrent_gradient_is_that_of_finite_differences(entropy):
    space = Deep()
    controller = made("rnn", space, learning_rate=1e-12)
    drawn = samples(space, (2, 1, 0), (0, 0, 0), (1, 2, 0), (2, 2, 2))
    weights = np.array([0.5, -1.0, 2.0, 0.1])

    def objective():
        with one_torch_thread(), torch.no_grad():
            taken, entropies = controller._taken(*arrays(drawn))
        return float((torch.from_numpy(weights) * taken).sum() + entropy * entropies.mean())

    controller.ascend(drawn, lambda now: weights, entropy)
    biases = controller._network.biases
    numeric = finite_differences(objective, biases.data.numpy())
    assert -biases.grad.numpy() == pytest.approx(numeric, abs=1e-6)
    gates = controller._network.lstm.bias_hh_l0
    numeric = finite_differences(objective, gates.data.numpy()[:5])
    assert -gates.grad.numpy()[:5] == pytest.approx(numeric, abs=1e-6)


def test_decisions_without_effect_have_no_gradient():
    space = Deep()
    factorized, recurrent = made("factorized", space), made("rnn", space)
    drawn = samples(space, (0, 0, 0), (1, 2, 0))
    gradient = factorized.gradient(*arrays(drawn), np.ones(2), entropy=0.5)
    assert np.abs(gradient[:2]).max(axis=1).min() > 0.1
    assert not gradient[2].any()
    recurrent.ascend(drawn, np.ones_like, 0.5)
    assert recurrent._network.biases.grad[:2].abs().max() > 0.1
    assert not recurrent._network.biases.grad[2].any()
    assert not recurrent._network.heads.grad[2].any()


@every_controller
def test_entropy_alone_leads_back_to_the_uniform_policy(name):
    space = Small()
    controller = made(name, space, learning_rate=0.01)
    one = samples(space, (2, 2, 2))
    while np.exp(controller.log_probabilities(one))[0] < 0.3:
        controller.ascend(one, np.ones_like, 0.0)
    for _ in range(400):
        controller.ascend(one, np.zeros_like, 1.0)
    for pair in itertools.product(range(3), repeat=3):
        assert np.exp(controller.log_probabilities(samples(space, pair)))[0] == pytest.approx(1 / 27, rel=0.3)


def test_no_global_state_is_read_or_changed():
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    first = made("rnn", Small()).log_probabilities(everything(Small()))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]
    torch.manual_seed(2)
    assert made("rnn", Small()).log_probabilities(everything(Small())).tolist() == first.tolist()


def test_threads_make_no_difference():
    threads, found = torch.get_num_threads(), []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            found.append(
                taught(made("rnn", Small()), Small()).log_probabilities(everything(Small())).tolist()
            )
            assert torch.get_num_threads() == number
    finally:
        torch.set_num_threads(threads)
    assert found[0] == found[1]
