import pytest

from hwnas.objectives.by_name import by_name


def share(alpha, beta, gamma=1.0):
    return alpha + None if gamma == 0 else alpha + beta


def test_settings_that_are_missing_are_named():
    assert by_name("sum", {"share": share}, "share:alpha=1,beta=2") == 3
    with pytest.raises(ValueError, match=r"sum share needs settings: share:alpha=NUMBER,beta=NUMBER$"):
        by_name("sum", {"share": share}, "share")
    with pytest.raises(ValueError, match=r"needs settings: share:beta=NUMBER$"):
        by_name("sum", {"share": share}, "share:alpha=1")


def test_a_bug_is_not_taken_for_a_missing_setting():
    with pytest.raises(TypeError, match="unsupported operand"):
        by_name("sum", {"share": share}, "share:alpha=1,beta=2,gamma=0")
