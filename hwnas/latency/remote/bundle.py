"""Write a bundle: everything that measuring elsewhere needs, in one folder."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

from hwnas.files import write_whole
from hwnas.latency.devices.device import ModelFailedError
from hwnas.latency.measuring.sentinels import sentinels
from hwnas.latency.measuring.subject import Subject
from hwnas.latency.remote.manifest import (
    MANIFEST,
    MODELS,
    README,
    RUNNER,
    VERSION,
    Manifest,
    Model,
    sentinel_file,
    to_json,
)
from hwnas.latency.remote.options import CpuOptions
from hwnas.latency.remote.zipapp import runner_pyz
from hwnas.latency.timing.protocol import Protocol

_README = """\
1. Copy this folder to the device, which needs Python 3.10, numpy and onnxruntime: scp -r {folder} pi@host:
2. Run there, as often as it is interrupted: python3 {folder}/runner.pyz
3. Bring {folder}/results.jsonl back into this folder: hwnas bundle --read {folder} --out latency_tables/NAME
"""


def write_bundle(
    subjects: list[Subject],
    folder: Path,
    *,
    options: CpuOptions,
    protocol: Protocol,
    seed: int = 0,
    space: str | None = None,
) -> Manifest:
    """Write models, manifest, runner and instructions; the manifest last.

    Args:
        subjects: what is to be measured.
        folder: made if need be; it must be empty.
        options: how onnxruntime is used on the device.
        protocol: how models are timed there.
        seed: of the order of the models in the rounds.
        space: the search space that the names are architectures of, for the record.

    Raises:
        ValueError: nothing to measure, or the folder is not empty.
        ModelFailedError: a model cannot be made of this precision; the message names it.
        OSError: the folder cannot be written.
    """
    if not subjects:
        raise ValueError("nothing to measure: give a space, ONNX files, or both")
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty; write the bundle into another folder")
    if len({subject.key for subject in subjects}) < len(subjects):
        raise ValueError("a model is given twice")
    (folder / MODELS).mkdir(parents=True, exist_ok=True)
    names = sentinels()
    for name, content in names.items():
        write_whole(folder / sentinel_file(name), content)
    manifest = Manifest(
        version=VERSION,
        options=options,
        protocol=protocol,
        seed=seed,
        space=space,
        onnx_version=version("onnx"),
        sentinels={name: hashlib.sha256(content).hexdigest() for name, content in names.items()},
        models=tuple(_written(subject, options, folder) for subject in subjects),
    )
    write_whole(folder / RUNNER, runner_pyz())
    write_whole(folder / README, _README.format(folder=folder.resolve().name))
    write_whole(folder / MANIFEST, to_json(manifest))
    return manifest


def _written(subject: Subject, options: CpuOptions, folder: Path) -> Model:
    try:
        content = options.prepare(subject.model())
    except ModelFailedError as error:
        raise ModelFailedError(f"{subject.name}: {error}") from error
    sha256 = hashlib.sha256(content).hexdigest()
    model = Model(
        subject.key, subject.kind, subject.name, sha256, subject.blocks, subject.flops, subject.params
    )
    write_whole(folder / model.file, content)
    return model
