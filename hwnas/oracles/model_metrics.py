"""The metrics of one training run in NAS-Bench-101: its message `ModelMetrics`.

The fields are those of nasbench/lib/model_metrics.proto (google-research/nasbench).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

FIELDS = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")


@dataclass(frozen=True)
class Run:
    """One run: `params`, and at its end the training time in seconds and accuracies as fractions."""

    params: int
    training_time: float
    train_accuracy: float
    validation_accuracy: float
    test_accuracy: float


def parse_run(data: bytes) -> Run:
    """The run at its last evaluation; raises ValueError where the message is damaged or lacks a field."""
    try:
        metrics = _message().FromString(data)
    except DecodeError as error:
        raise ValueError(f"its metrics are damaged: {error}") from None
    if not metrics.evaluation_data or not metrics.HasField("trainable_parameters"):
        raise ValueError("its metrics have no evaluation or no number of parameters")
    last = metrics.evaluation_data[-1]
    if missing := [name for name in FIELDS if not last.HasField(name)]:
        raise ValueError(f"its metrics have no {missing[0]}")
    return Run(metrics.trainable_parameters, *(getattr(last, name) for name in FIELDS))


@lru_cache(maxsize=1)
def _message() -> Any:
    """The class of the message, made of its description in a pool of its own."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="model_metrics.proto", package="nasbench", syntax="proto2")
    data = file.message_type.add(name="EvaluationData")
    for number, name in enumerate(("current_epoch", *FIELDS), start=1):
        data.field.add(name=name, number=number, type=field.TYPE_DOUBLE, label=field.LABEL_OPTIONAL)
    data.field.add(name="checkpoint_path", number=6, type=field.TYPE_BYTES, label=field.LABEL_OPTIONAL)
    metrics = file.message_type.add(name="ModelMetrics")
    metrics.field.add(
        name="evaluation_data",
        number=1,
        type=field.TYPE_MESSAGE,
        label=field.LABEL_REPEATED,
        type_name=".nasbench.EvaluationData",
    )
    metrics.field.add(
        name="trainable_parameters", number=2, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL
    )
    metrics.field.add(name="total_time", number=3, type=field.TYPE_DOUBLE, label=field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("nasbench.ModelMetrics"))
