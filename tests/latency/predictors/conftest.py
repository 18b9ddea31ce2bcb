"""One thread: where cores are shared, threads that wait for each other make seconds out of milliseconds."""

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    import sklearn.ensemble  # noqa: F401 (its threads must be loaded to be limited)

    with threadpool_limits(1):
        yield
