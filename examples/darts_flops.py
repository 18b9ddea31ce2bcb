"""Differentiable search: the cell that learns digits best at half of the FLOPs of the largest one."""

import sys

import hwnas
from hwnas.differentiable.search import search
from hwnas.objectives import format_quantity

folder = sys.argv[1] if len(sys.argv) > 1 else "runs/darts"
space = hwnas.spaces.NASBench201(channels=8, cells=1, resolution=16)
target = 3.2e6


def show(epoch):
    print(
        f"epoch {epoch.number}: validation accuracy {epoch.validation_accuracy:.2f}, "
        f"expected {format_quantity(epoch.expected['flops'])} FLOPs, derived {epoch.derived} of "
        f"{format_quantity(epoch.derived_costs['flops'])} with {epoch.skips} skips"
    )


run = search(
    space,
    data=hwnas.training.load("digits", resolution=16, limit=1500),
    folder=folder,
    method="darts:rate=0.02",
    subject_to=[f"flops <= {target}"],
    guard=None,
    epochs=5,
    batch_size=32,
    progress=show,
)
flops = hwnas.count(run.architecture).whole.flops
print(run.architecture)
print(f"{format_quantity(flops)} FLOPs, {flops / target:.0%} of the target of {format_quantity(target)}")
