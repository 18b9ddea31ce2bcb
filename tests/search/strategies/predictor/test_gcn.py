import numpy as np
import pytest

from hwnas.search.strategies.predictor import gcn
from hwnas.search.strategies.predictor.gcn import Inputs, train
from hwnas.search.strategies.predictor.graphs import graphs
from hwnas.spaces import NASBench201

SPACE = NASBench201()


def inputs_of(architectures, scores=None):
    found = graphs(SPACE, SPACE.integers(architectures))
    return Inputs.of(found, np.zeros((len(architectures), 0)) if scores is None else scores)


def loss(outputs, targets):
    pairs = [(i, j) for i in range(len(targets)) for j in range(len(targets)) if targets[i] > targets[j]]
    return np.mean([np.log1p(np.exp(-(outputs[i] - outputs[j]))) for i, j in pairs])


def test_gradients_are_those_of_the_pairwise_loss():
    generator = np.random.default_rng(0)
    inputs = inputs_of(SPACE.sample(5, seed=1), generator.normal(size=(5, 2)))
    targets = np.array([1.0, 3.0, 2.0, 2.0, -1.0])
    parameters = [one.astype(np.float64) for one in gcn._initial(inputs.kinds, 2, generator)]
    found = gcn._gradients(parameters, inputs, targets)
    for value, gradient in zip(parameters, found, strict=True):
        assert gradient.shape == value.shape
        for _ in range(4):
            place = tuple(int(generator.integers(size)) for size in value.shape)
            before, losses = value[place], []
            for step in (1e-5, -1e-5):
                value[place] = before + step
                losses.append(loss(gcn._forward(parameters, inputs).outputs, targets))
            value[place] = before
            assert gradient[place] == pytest.approx((losses[0] - losses[1]) / 2e-5, abs=1e-6)


def test_isomorphic_graphs_have_one_score():
    texts = [
        "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|avg_pool_3x3~0|skip_connect~1|nor_conv_1x1~2|",
        "|skip_connect~0|+|nor_conv_3x3~0|none~1|+|avg_pool_3x3~0|nor_conv_1x1~1|skip_connect~2|",
    ]
    sample = SPACE.sample(30, seed=0)
    ranker = train(inputs_of(sample), np.arange(30) / 10, np.random.default_rng(0))
    first, second = ranker(inputs_of([SPACE.parse(text) for text in texts]))
    assert first == pytest.approx(second, abs=1e-5)


def test_learns_to_rank_cells_that_it_has_not_seen():
    sample = SPACE.sample(400, seed=3)
    found = graphs(SPACE, SPACE.integers(sample))
    convolutions = ((found.labels == 2) & found.is_live).sum(axis=1)
    longest = ((found.reads[:, 1:] & found.is_live[:, None, :]).sum(axis=(1, 2))) / 10
    truth = convolutions + longest
    ranker = train(inputs_of(sample[:100]), truth[:100] / truth.std(), np.random.default_rng(0))
    scores = ranker(inputs_of(sample[100:]))
    assert np.corrcoef(scores, truth[100:])[0, 1] > 0.9


def test_reads_the_scores_of_the_whole_graph():
    sample = SPACE.sample(200, seed=4)
    scores = np.random.default_rng(1).normal(size=(200, 1))
    ranker = train(inputs_of(sample[:80], scores[:80]), scores[:80, 0], np.random.default_rng(0))
    assert np.corrcoef(ranker(inputs_of(sample[80:], scores[80:])), scores[80:, 0])[0, 1] > 0.8
