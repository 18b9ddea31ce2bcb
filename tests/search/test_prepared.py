from dataclasses import dataclass, replace

from hwnas.search import run
from hwnas.search.prepared import PreparedMetric, prepared
from tests.search.toy import Cost, Toy, Value


@dataclass(frozen=True)
class Learnt(Value):
    """A value plus what was written in the folder."""

    name: str = "learnt"
    added: float | None = None

    def __call__(self, architecture):
        return super().__call__(architecture) + self.added

    def prepared(self, space, folder, say, executor):
        path = folder / "learnt"
        if not path.exists():
            say(f"learning {space.name}")
            path.write_text("7")
        return replace(self, added=float(path.read_text()))


def test_only_metrics_that_need_it_are_made_ready(tmp_path):
    metrics = {"learnt": Learnt(), "cost": Cost()}
    ready = prepared(metrics, Toy(), tmp_path, lambda line: None)
    assert [isinstance(one, PreparedMetric) for one in metrics.values()] == [True, False]
    assert ready["cost"] is metrics["cost"]
    architecture = Toy().sample(1, seed=0)[0]
    assert ready["learnt"](architecture) == Value()(architecture) + 7


def test_what_is_in_the_folder_is_found_again(tmp_path):
    said: list[str] = []
    for _ in range(2):
        prepared({"learnt": Learnt()}, Toy(), tmp_path, said.append)
    assert said == ["learning toy"]


def test_a_search_makes_them_ready_in_its_folder(tmp_path):
    settings = {
        "maximize": "learnt",
        "metrics": {"learnt": Learnt()},
        "folder": tmp_path / "run",
        "budget": 5,
    }
    trials = run(Toy(), strategy="random", **settings).record.trials
    assert all(trial.metrics["learnt"] >= 7 for trial in trials)
    assert (tmp_path / "run" / "learnt").read_text() == "7"
