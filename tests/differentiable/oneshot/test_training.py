from dataclasses import replace

import pytest
import torch

from hwnas.differentiable.oneshot.evaluation import calibration_images, inherited_module, oneshot_accuracy
from hwnas.differentiable.oneshot.learner import Learner, one_network
from hwnas.differentiable.oneshot.settings import OneShotSettings
from hwnas.differentiable.oneshot.training import train_oneshot
from hwnas.objectives import MetricError
from hwnas.spaces import MobileNetV2, NASBench101, NASBench201
from hwnas.training import TrainingSettings, load
from tests.differentiable.images import quadrants

CELLS = NASBench201(channels=4, cells=1, resolution=8, classes=4)
CHAIN = MobileNetV2(
    resolution=16, classes=4, width=0.1, kernels=(3, 5), expansions=(2, 3), depths=(-3, -2), widths=(1.0,)
)
TRAINING = TrainingSettings(epochs=3, batch_size=32, lr=0.1, augmentation=None)
UNIFORM = OneShotSettings(TRAINING)
SHRINKING = OneShotSettings(replace(TRAINING, epochs=4), sampling="shrinking", elastic=True)


class KilledError(Exception):
    pass


def kill_in(epoch):
    def progress(at):
        if at.epoch == epoch:
            raise KilledError

    return progress


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return load(quadrants(tmp_path_factory.mktemp("small"), 8, 400)).for_selection()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return load(quadrants(tmp_path_factory.mktemp("tiny"), 16, 80)).for_selection()


@pytest.fixture(scope="module")
def trained(small):
    return train_oneshot(CELLS, small, OneShotSettings(replace(TRAINING, epochs=12))).supernet


def test_architectures_that_cannot_learn_rank_last(trained, small):
    calibration = calibration_images(small, 128, seed=0)
    hopeless = CELLS.from_encoding([0] * 6)
    able = [one for one in CELLS.sample(6, seed=1) if one.encoding[3] != 0]
    values = [oneshot_accuracy(trained, one, small, calibration) for one in able]
    assert oneshot_accuracy(trained, hopeless, small, calibration) <= 0.3
    assert len(values) >= 3
    assert min(values) > 0.5


def test_an_evaluation_leaves_the_supernet_as_it_is(trained, small):
    architecture = CELLS.sample(1, seed=3)[0]
    before = {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    calibration = calibration_images(small, 64, seed=0)
    values = {oneshot_accuracy(trained, architecture, small, calibration) for _ in range(2)}
    assert len(values) == 1
    assert all(torch.equal(before[name], tensor) for name, tensor in trained.state_dict().items())


def test_the_inherited_module_is_the_supernets_path(trained, small):
    architecture = CELLS.sample(1, seed=4)[0]
    choices = trained.supernetwork.choices(architecture)
    x = small.standardise(small.test_images[:8])
    trained.eval()
    found = trained(x, one_network(trained.supernetwork, choices))
    assert torch.allclose(inherited_module(trained, architecture).eval()(x), found, atol=1e-5)


def test_an_infinite_output_is_undefined_and_no_accuracy(small):
    supernet = Learner(CELLS.supernetwork(), UNIFORM, torch.device("cpu")).supernet
    with torch.no_grad():
        list(supernet.parameters())[-1].fill_(torch.inf)
    with pytest.raises(MetricError, match="accuracy_oneshot: an output of the network is NaN or infinite"):
        oneshot_accuracy(supernet, CELLS.sample(1, seed=0)[0], small, calibration_images(small, 64, 0))


@pytest.mark.parametrize(
    ("space", "settings"), [(CELLS, UNIFORM), (CHAIN, SHRINKING)], ids=["uniform", "shrinking"]
)
def test_killed_and_resumed_it_is_the_same(space, settings, small, tiny, tmp_path):
    data = small if space is CELLS else tiny
    whole = train_oneshot(space, data, settings)
    path = tmp_path / "folder" / "supernet.npz"
    for epoch in (1, 2, 3):
        with pytest.raises(KilledError):
            train_oneshot(space, data, settings, checkpoint=path, progress=kill_in(epoch))
    resumed = train_oneshot(space, data, settings, checkpoint=path)
    assert resumed.losses == whole.losses
    expected = whole.supernet.state_dict()
    assert all(torch.equal(expected[name], one) for name, one in resumed.supernet.state_dict().items())
    steps = []
    train_oneshot(space, data, settings, checkpoint=path, progress=steps.append)
    assert not steps


def test_a_checkpoint_of_another_training_is_refused_by_what_differs(small, tmp_path):
    path = tmp_path / "supernet.npz"
    short = OneShotSettings(replace(TRAINING, epochs=1))
    train_oneshot(CELLS, small, short, checkpoint=path)
    other = OneShotSettings(replace(TRAINING, epochs=1, lr=0.2))
    with pytest.raises(ValueError, match=r"of another training: settings.training.lr was 0.1, now 0.2"):
        train_oneshot(CELLS, small, other, checkpoint=path)
    with pytest.raises(ValueError, match=r"of another training: space was .*channels=4.*, now .*channels=8"):
        train_oneshot(
            NASBench201(channels=8, cells=1, resolution=8, classes=4), small, short, checkpoint=path
        )
    with pytest.raises(ValueError, match=r"data was .* 256 train images, .*, now .* 200 train images"):
        fewer = replace(small, train_images=small.train_images[:200], train_labels=small.train_labels[:200])
        train_oneshot(CELLS, fewer, short, checkpoint=path)


@pytest.mark.parametrize("sampling", ["sandwich", "shrinking"])
def test_all_networks_of_a_sandwich_learn(sampling, tiny):
    settings = OneShotSettings(
        replace(TRAINING, epochs=6, batch_size=8, lr=0.03), sampling=sampling, elastic=True
    )
    supernet = train_oneshot(CHAIN, tiny, settings).supernet
    learnt = replace(tiny, test_images=tiny.train_images, test_labels=tiny.train_labels)
    smallest = CHAIN.from_encoding([0] * len(CHAIN.choices))
    largest = CHAIN.from_encoding([len(choices) - 1 for choices in CHAIN.choices])
    for architecture in (smallest, largest):
        assert oneshot_accuracy(supernet, architecture, learnt, tiny.train_images) > 0.6


def test_a_loss_that_is_not_finite_ends_the_training_and_says_where(small):
    settings = OneShotSettings(replace(TRAINING, lr=1e30, warmup_epochs=0))
    with pytest.raises(ValueError, match=r"diverged in epoch 1, step \d+: the loss is .*; try a lower lr"):
        train_oneshot(CELLS, small, settings)


def test_what_does_not_fit_is_refused(small):
    with pytest.raises(ValueError, match=r"takes images 3×12×12 .* has images 3×8×8"):
        train_oneshot(NASBench201(channels=4, cells=1, resolution=12, classes=4), small, UNIFORM)
    with pytest.raises(ValueError, match=r"and has 10 classes; .* and 4 classes"):
        train_oneshot(NASBench201(channels=4, cells=1, resolution=8, classes=10), small, UNIFORM)
    with pytest.raises(ValueError, match="has no supernet"):
        train_oneshot(NASBench101(), small, UNIFORM)
    with pytest.raises(ValueError, match="precision bf16 needs a CUDA device"):
        train_oneshot(CELLS, small, OneShotSettings(replace(TRAINING, precision="bf16")))
    with pytest.raises(ValueError, match="has no largest and smallest choice"):
        train_oneshot(CELLS, small, OneShotSettings(TRAINING, sampling="sandwich"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampling": "fair"}, "sampling must be uniform, sandwich, shrinking"),
        ({"sampling": "shrinking"}, "use elastic=True"),
        ({"calibration_images": 1}, "calibration_images must be at least 2"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        OneShotSettings(TRAINING, **settings)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_it_trains_and_resumes_on_cuda(precision, small, tmp_path):
    settings = OneShotSettings(replace(TRAINING, precision=precision))
    path = tmp_path / "supernet.npz"
    with pytest.raises(KilledError):
        train_oneshot(CELLS, small, settings, checkpoint=path, progress=kill_in(2), device="cuda")
    found = train_oneshot(CELLS, small, settings, checkpoint=path, device="cuda")
    assert found.losses[-1] < found.losses[0]
    architecture = CELLS.sample(1, seed=1)[0]
    value = oneshot_accuracy(found.supernet, architecture, small, calibration_images(small, 64, 0), "cuda")
    assert 0 <= value <= 1
