"""How each predictor-guided strategy chooses, given what its surrogate says."""

import numpy as np
import pytest

from hwnas.search.strategies import BANANAS, BRPNAS, BayesianOptimization, bananas, bayesian
from hwnas.spaces import DARTS, NASBench201
from tests.search.strategies.told import (
    BOUNDED,
    SUM,
    best,
    evaluated,
    metrics_of,
    metrics_without_bound,
    searched,
    toy_screen,
)
from tests.search.toy import Toy

SPACE = Toy()
EVERYTHING = list(SPACE)


def score(architecture):
    """Different for all architectures."""
    return sum(choice * 5**-place for place, choice in enumerate(architecture.encoding))


SCORES = np.sort([score(one) for one in EVERYTHING])[::-1]


def place(architecture):
    """How many architectures have a greater score."""
    return int(np.searchsorted(-SCORES, -score(architecture) - 1e-9))


class Told:
    """A relation that knows the scores."""

    def train(self, known, targets, generator):
        self.trained_on = len(targets)

    def __call__(self, candidates):
        return np.array([score(one) for one in candidates.architectures])


def test_brp_nas_exploits_its_share_of_a_round_and_draws_the_rest_from_ever_fewer():
    strategy = BRPNAS(SPACE, SUM, initial=4, every=10, alpha=0.4, seed=0)
    strategy._relation = Told()
    done = [proposal.architecture for proposal, _ in searched(strategy, trials=4 + 4 * 10)][4:]
    seen = set()
    for number in range(4):
        round_ = done[10 * number : 10 * number + 10]
        kept = len(EVERYTHING) >> (number + 1)
        for one in round_[:4]:
            assert place(one) <= len(seen) + 4 + 4
            seen.add(one)
        places = [place(one) for one in round_[4:]]
        assert max(places) <= kept + 50
        assert np.mean(places) > kept / 6
    assert strategy._relation.trained_on == 4 + 3 * 10


def test_brp_nas_learns_from_graphs_where_a_space_has_cells():
    models = {kind: BRPNAS(kind(), SUM).settings()["model"] for kind in (NASBench201, DARTS, Toy)}
    assert models == {NASBench201: "gcn", DARTS: "gcn", Toy: "mlp"}


@pytest.mark.parametrize("model", ["gcn", "mlp"])
def test_both_models_of_brp_nas_find_good_ones_in_a_chain(model):
    done = searched(BRPNAS(SPACE, SUM, model=model, seed=0), trials=60)
    assert sum(best(done)) >= 23


def test_bananas_draws_by_the_spread_of_its_ensemble(monkeypatch):
    def asked(spread):
        def outputs(inputs):
            values = inputs @ np.array([choice * 5.0**-place for place in range(6) for choice in range(5)])
            return np.stack([values - spread, values + spread])

        monkeypatch.setattr(bananas, "train", lambda *given: outputs)
        strategy = BANANAS(SPACE, SUM, initial=2, seed=0)
        return [place(proposal.architecture) for proposal, _ in searched(strategy, trials=42)][2:]

    assert max(asked(0.0)) <= 42
    drawn = asked(3.0)
    assert max(drawn) <= bananas.SAMPLED + 42
    assert np.median(drawn) > 30


def test_bayesian_keeps_a_bound_that_only_results_tell_more_and_more():
    kept = []
    for seed in range(3):
        strategy = BayesianOptimization(SPACE, BOUNDED, seed=seed)
        done = searched(strategy, metrics_of, trials=60)
        kept += [values["cost"] <= 10 for _, values in done[30:]]
    assert np.mean(kept) > 0.6


def test_bayesian_is_surer_of_what_is_like_the_proposals_under_way(monkeypatch):
    predictions = []
    predict = bayesian.Posterior.predict

    def noted(posterior, numbers, targets):
        predictions.append(predict(posterior, numbers, targets))
        return predictions[-1]

    monkeypatch.setattr(bayesian.Posterior, "predict", noted)
    strategy = BayesianOptimization(SPACE, SUM, seed=0)
    searched(strategy, metrics_without_bound, trials=16)
    predictions.clear()
    late = [strategy.ask().architecture for _ in range(4)]
    for proposal, before, after in zip(late[:3], predictions[:3], predictions[1:], strict=True):
        np.testing.assert_allclose(after[0], before[0], atol=1e-9)
        alike = [EVERYTHING.index(one) for one in SPACE.neighbours(proposal)]
        assert (after[1] <= before[1] + 1e-12).all()
        assert np.mean(after[1][alike] / before[1][alike]) < 0.97


def test_evaluated_are_all_different():
    for kind in (BANANAS, BRPNAS, BayesianOptimization):
        found = evaluated(searched(kind(SPACE, SUM, seed=1), trials=40, ahead=4))
        assert len(set(found)) == 40


def test_bananas_reads_choices_paths_and_proxies(monkeypatch):
    widths = []

    def noted(inputs, *given):
        widths.append(inputs.shape[1])
        return train(inputs, *given)

    train = bananas.train
    monkeypatch.setattr(bananas, "train", noted)
    for space, proxies in ((NASBench201(), []), (NASBench201(), ["proxy"]), (Toy(), ["proxy"])):
        searched(
            BANANAS(space, SUM, initial=2, proxies=proxies, seed=0),
            lambda proposal: {"value": float(sum(proposal.architecture.encoding))},
            trials=3,
            screen=toy_screen(SUM),
        )
    assert widths == [30 + 85, 30 + 85 + 1, 30 + 1]
