import torch
from torch import nn

from hwnas.differentiable.oneshot.recalibration import recalibrate


def network() -> nn.Sequential:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)
    )
    module[1].running_mean.fill_(7)
    return module.double()


def batches(count: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(8, 1, 3, 3, generator=generator, dtype=torch.float64) + i for i in range(count)]


def test_statistics_are_averages_over_the_batches():
    module, given = network(), batches(3)
    recalibrate(module, given)
    outputs = [module[0](batch) for batch in given]
    means = torch.stack([one.mean((0, 2, 3)) for one in outputs]).mean(0)
    variances = torch.stack([one.var((0, 2, 3)) for one in outputs]).mean(0)
    assert torch.allclose(module[1].running_mean, means)
    assert torch.allclose(module[1].running_var, variances)


def test_what_was_there_before_does_not_count():
    once, twice = network(), network()
    recalibrate(once, batches(2))
    recalibrate(twice, batches(5))
    recalibrate(twice, batches(2))
    assert torch.equal(once[4].running_mean, twice[4].running_mean)
    assert torch.equal(once[4].running_var, twice[4].running_var)


def test_nothing_else_changes():
    module = network()
    before = {name: weight.clone() for name, weight in module.named_parameters()}
    module.train()
    module[3].eval()
    recalibrate(module, batches(2))
    assert [one.training for one in module] == [True, True, True, False, True]
    assert [module[1].momentum, module[4].momentum] == [0.1, 0.1]
    assert all(torch.equal(before[name], weight) for name, weight in module.named_parameters())


def test_without_normalisation_nothing_is_run():
    recalibrate(nn.Linear(2, 2), (batch for batch in [object()]))
