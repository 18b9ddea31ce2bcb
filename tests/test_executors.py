"""Work in order, and nothing finished waits for what follows it."""

from hwnas.executors import InlineExecutor, in_order


def test_inline_results_come_as_they_are_done():
    done = []

    def work(number):
        done.append(number)
        return number

    results = in_order(InlineExecutor(), work, [(number,) for number in range(10)])
    assert next(results) == 0
    assert done == [0]
    assert list(results) == list(range(1, 10))
