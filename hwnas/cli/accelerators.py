"""What Arm's compiler estimates of networks on an Ethos-U, for `hwnas predict vela-...`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hwnas.cli.output import print_json, print_table, say
from hwnas.cli.targets import Target


def accelerator_of(name: str) -> str | None:
    """The accelerator of a device such as `vela-ethos-u55-128`; None for other names and for folders."""
    from hwnas.latency.devices.vela_compiler import ACCELERATORS

    start, _, accelerator = name.partition("-")
    is_one = start == "vela" and accelerator in ACCELERATORS and not Path(name).exists()
    return accelerator if is_one else None


def print_estimates(accelerator: str, targets: Sequence[Target], json: bool) -> None:
    """Print latency, cycles, SRAM and flash of each network.

    A .tflite file is compiled as it is; other networks are lowered to int8 with arbitrary weights, and it is
    said that the compressed size depends on them.

    Raises:
        ValueError: the compiler is not there, or refuses a network; an operator has no form in TFLite.
    """
    from hwnas.latency.devices.vela import stand_in
    from hwnas.latency.devices.vela_compiler import VelaCompiler
    from hwnas.network.program.lower import lower

    with VelaCompiler() as compiler:
        found = [
            (
                one.name,
                compiler.estimate(
                    stand_in(lower(one.network)) if one.program is None else Path(one.name).read_bytes(),
                    accelerator,
                ),
            )
            for one in targets
        ]
    if json:
        fields = ("latency_ms", "cycles", "npu_cycles", "sram_bytes", "flash_bytes", "macs", "on_cpu")
        print_json(
            [
                {"name": name, "accelerator": accelerator, **{f: getattr(estimate, f) for f in fields}}
                for name, estimate in found
            ]
        )
    else:
        print_table(
            ["network", "latency ms", "cycles", "SRAM kB", "flash kB"],
            [
                [
                    name,
                    f"{estimate.latency_ms:.4f}",
                    f"{estimate.cycles:,}",
                    f"{estimate.sram_bytes / 1024:.1f}",
                    f"{estimate.flash_bytes / 1024:.1f}",
                ]
                for name, estimate in found
            ],
            f"{accelerator}, estimated by Arm's compiler, not measured",
        )
    for name, estimate in found:
        if estimate.on_cpu:
            say(f"{name}: left to the processor, and not in the estimate: {', '.join(estimate.on_cpu)}")
    if any(one.program is None for one in targets):
        say("weights are arbitrary here, and the compiler compresses them: trained ones may take less")
