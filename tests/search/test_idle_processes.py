"""Processes of trials that nobody ends, as on the workers of a cluster, end by themselves."""

from multiprocessing import active_children

from hwnas.search import limited
from hwnas.search.evaluate import Evaluator, Task, packed
from tests.search.test_loop import OBJECTIVE, SPACE
from tests.search.toy import Cost, Value


def test_a_process_without_tasks_ends_and_the_next_task_starts_another(monkeypatch):
    monkeypatch.setattr(limited, "IDLE_SECONDS", 0.2)
    evaluator = Evaluator(SPACE, OBJECTIVE, {"value": Value(), "cost": Cost()})
    task = limited.LimitedTask(Task(packed(evaluator), (1, 1, 1, 1, 1, 1), "value"), 20.0)
    first = task()
    (process,) = active_children()
    process.join(30)
    assert process.exitcode == 0
    assert task().metrics == first.metrics
    limited.end_process()
