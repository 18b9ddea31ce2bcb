"""A run as an Optuna study, which optuna-dashboard and Optuna's own plots show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwnas.objectives import Constraint
from hwnas.search.folder import CONFIG, read_json
from hwnas.search.outcome import read_record
from hwnas.search.records import RunRecord, Trial
from hwnas.spaces import SearchSpace
from hwnas.spaces.registry import space_of_file

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

_ATTRIBUTE = "hwnas"


def export_study(run: Path | str, storage: str, *, space: SearchSpace | None = None) -> Study:
    """Write the trials of a run into a storage of Optuna, under the name of the run's folder.

    A trial with the metric that the search maximises is `COMPLETE`, also where it breaks a constraint. One
    without, as it breaks a constraint or was only scored by a proxy, is `PRUNED`; a failed one is `FAIL`.
    Bounds are Optuna's constraints, as fractions by which they are exceeded; all metrics are user attributes.
    Exporting again adds the trials that are new.

    Args:
        run: folder of a run, finished or not.
        storage: a URL of SQLAlchemy, such as `sqlite:///runs.db`.
        space: of the run; needed for a space of one's own.

    Returns:
        The study.

    Raises:
        ValueError: Optuna is not installed, the storage cannot be used or has another study of that name.
        CorruptRunError: `run` is no run folder, or damaged.
    """
    try:
        import optuna
    except ImportError:
        raise ValueError("optuna is not installed: pip install 'hwnas[optuna]'") from None

    folder = Path(run).resolve()
    record = read_record(folder)
    space = space or space_of_file(str(record.config["space"]))
    config = read_json(folder / CONFIG)
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(
            storage=storage,
            study_name=folder.name,
            direction="maximize",
            load_if_exists=True,
        )
    except Exception as error:  # of whatever database it is
        raise ValueError(f"storage {storage!r} cannot be used: {' '.join(str(error).split())}") from error
    finally:
        optuna.logging.set_verbosity(verbosity)
    there = study.get_trials(deepcopy=False)
    if study.user_attrs.get(_ATTRIBUTE, None if there else config) != config:
        raise ValueError(
            f"{storage} has another study called {folder.name}: delete it, or use another storage"
        )
    study.set_user_attr(_ATTRIBUTE, config)
    study.add_trials([_trial(one, record, space) for one in record.trials[len(there) :]])
    return study


def _trial(trial: Trial, record: RunRecord, space: SearchSpace) -> FrozenTrial:
    import optuna
    from optuna.trial import TrialState

    value = None if trial.status == "failed" else trial.metrics.get(record.maximize)
    unknown = TrialState.FAIL if trial.status == "failed" else TrialState.PRUNED
    encoding = space.parse(trial.architecture).encoding
    frozen = optuna.create_trial(
        state=unknown if value is None else TrialState.COMPLETE,
        value=value,
        params={
            name: choices[index]
            for (name, choices), index in zip(space.plain_choices.items(), encoding, strict=True)
        },
        distributions={
            name: optuna.distributions.CategoricalDistribution(choices)
            for name, choices in space.plain_choices.items()
        },
        constraints=_excesses(trial.metrics, record.bounds),
        user_attrs=_attributes(trial),
    )
    if frozen.datetime_start is not None:
        frozen.datetime_complete = frozen.datetime_start + timedelta(seconds=trial.seconds)
    return frozen


def _excesses(metrics: Mapping[str, float], bounds: Mapping[str, float]) -> dict[str, float]:
    """By what fraction each bound is exceeded: 0 or less where it is kept."""
    known = [Constraint(name, bound) for name, bound in bounds.items() if name in metrics]
    return {str(one): metrics[one.metric] / one.bound - 1 for one in known}


def _attributes(trial: Trial) -> dict[str, Any]:
    said = {"reason": trial.reason} if trial.reason else {}
    return {"architecture": trial.architecture, "status": trial.status, **trial.metrics, **said}
