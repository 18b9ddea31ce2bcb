"""Measure ONNX files of any origin."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hwnas.latency.devices.device import Device, ModelFailedError
from hwnas.latency.measuring.campaign import Group
from hwnas.latency.measuring.groups import flags_of, measure_subjects
from hwnas.latency.measuring.journal import Journal
from hwnas.latency.measuring.progress import Progress, ProgressCallback
from hwnas.latency.measuring.sentinels import sentinels
from hwnas.latency.measuring.subject import Subject
from hwnas.latency.printable import printable
from hwnas.latency.tables.entry import Entry
from hwnas.latency.tables.table import LatencyTable
from hwnas.latency.timing.lock import machine_lock

_LARGEST = (1 << 31) - 1


def measure_onnx(
    model: str | Path | bytes, device: Device, *, progress: ProgressCallback | None = None
) -> Entry:
    """Measure an ONNX model with static float32 inputs; a free batch dimension is fixed to the device's.

    Args:
        model: path of a file, or its content. Weights in files of their own are read for a path.
        device: where to measure.
        progress: called before each round.

    Returns:
        An entry of kind ``network``; its key is the SHA-256 of the model with its batch fixed.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the model is no ONNX, too large (2 GiB), or an input is not static float32.
        ModelFailedError: the runtime refuses the model or fails to run it; the message names the model.
    """
    return measure_onnx_and_sentinels(model, device, progress=progress)[0]


def measure_onnx_and_sentinels(
    model: str | Path | bytes, device: Device, *, progress: ProgressCallback | None = None
) -> tuple[Entry, dict[str, float]]:
    """As `measure_onnx`, with the times of the sentinels beside it in microseconds."""
    name = "the model" if isinstance(model, bytes) else printable(Path(model).name)
    content = fixed_model(model, name, device.batch)
    key = hashlib.sha256(content).hexdigest()

    def notify(message: str) -> None:
        if progress:
            progress(Progress(0, 1, message))

    before = device.reading()
    waiting = f"another measurement holds the {device.machine}; waiting for its end"
    with machine_lock(device.machine, lambda: notify(waiting)) as descriptor:
        result = Group(
            device,
            {key: content},
            device.protocol,
            sentinels=sentinels(),
            seed=(0,),
            notify=notify,
            keep_open=(descriptor,),
            before=before,
        ).measure()
    if key in result.failures:
        raise ModelFailedError(f"{name}: {result.failures[key]}")
    entry = Entry(
        key,
        "network",
        name,
        **asdict(result.measured[key]),
        flags=flags_of(key, result),
        onnx_sha256=result.sha256[key],
        energy_mj=result.energy_mj.get(key),
    )
    return entry, result.sentinels


def measure_files(
    paths: Sequence[Path],
    device: Device,
    *,
    folder: Path | None = None,
    progress: ProgressCallback | None = None,
    seed: int = 0,
) -> LatencyTable:
    """A table of ONNX files as whole networks, without blocks; it resumes as `hwnas.latency.measure` does.

    Args:
        paths: of the files, as for `measure_onnx`; equal ones are measured once.
        device: where to measure.
        folder: where the journal and the table are kept; None: only in memory.
        progress: called before each round.
        seed: of the order of the models in the rounds.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: as `measure_onnx`, and as `hwnas.latency.measure` of the folder.
        OSError: the folder cannot be written; the message names it.
        RunnerDiedError: the worker cannot be started or dies repeatedly without a model to blame.
    """
    found = [subject_of(path, device.batch) for path in paths]
    journal = measure_subjects(
        list({subject.key: subject for subject in found}.values()),
        device,
        lambda identity: Journal(identity, folder),
        sentinels=sentinels(),
        progress=progress,
        seed=seed,
    )
    table = journal.table()
    if folder:
        table.save(folder)
    return table


def subject_of(path: Path, batch: int = 1) -> Subject:
    """An ONNX file as a model to be measured, its batch set where it is free; its key is the SHA-256.

    Raises:
        As `measure_onnx`, but for what the runtime says.
    """
    name = printable(path.name)
    content = fixed_model(path, name, batch)
    return Subject(hashlib.sha256(content).hexdigest(), "network", name, lambda: content)


def fixed_model(model: str | Path | bytes, name: str, batch: int = 1) -> bytes:
    """The model's bytes, weights inside, its batch set where it is free; `name` stands in errors.

    Raises:
        As `subject_of`.
    """
    proto = _read(model, name)
    weights = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value for value in proto.graph.input if value.name not in weights]
    free = {_fix_input(value, name, batch) for value in inputs}
    for value in [*proto.graph.output, *proto.graph.value_info]:
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param and size.dim_param in free:
                size.dim_value = batch
    if proto.ByteSize() > _LARGEST:
        raise ValueError(f"{name}: {proto.ByteSize()} bytes are more than {_LARGEST}")
    return bytes(proto.SerializeToString(deterministic=True))


def _read(model: str | Path | bytes, name: str) -> Any:
    import onnx

    if not isinstance(model, bytes) and not Path(model).is_file():
        raise FileNotFoundError(f"no file {model}")
    try:
        proto = onnx.load_from_string(model) if isinstance(model, bytes) else onnx.load(model)
    except Exception as error:  # protobuf's DecodeError has no stable home
        raise ValueError(f"{name}: not an ONNX model: {error}") from error
    if not proto.graph.node:
        raise ValueError(f"{name}: not an ONNX model, or one without operators")
    return proto


def _fix_input(value: Any, name: str, samples: int) -> str:
    """Check one input and fix its batch; returns the name of the batch dimension, or ``""``."""
    from onnx import TensorProto

    tensor = value.type.tensor_type
    if tensor.elem_type != TensorProto.FLOAT:
        raise ValueError(f"{name}: input {value.name!r} is not float32; only float32 inputs are measured")
    if not tensor.HasField("shape"):
        raise ValueError(f"{name}: input {value.name!r} has no shape")
    free = [i for i, size in enumerate(tensor.shape.dim) if size.dim_value <= 0]
    if any(free):
        raise ValueError(
            f"{name}: input {value.name!r} has free dimensions {free}; only the first may be free"
        )
    if not free:
        return ""
    batch: str = tensor.shape.dim[0].dim_param
    tensor.shape.dim[0].dim_value = samples
    return batch
