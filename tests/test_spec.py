import pytest

from hwnas.spec import read_settings


def test_values_are_literals_or_words():
    text = "population=20,by=naswot,kernels=(3,5),proxies=naswot+snip+grasp,reward='soft:alpha=0,beta=-1'"
    assert read_settings(text, "it") == {
        "population": 20,
        "by": "naswot",
        "kernels": (3, 5),
        "proxies": "naswot+snip+grasp",
        "reward": "soft:alpha=0,beta=-1",
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "key=value expected"),
        ("20", "key=value expected"),
        ("population=2,population=3", "population is given 2 times"),
        ("reward=soft:alpha=0,beta=-1", "stands in quotes: reward='soft:alpha=0,beta=-1'"),
        ("by=naswot+2", "settings 'by=naswot\\+2' of it must be"),
        ("population=", "settings 'population=' of it must be"),
    ],
)
def test_what_is_no_settings(text, says):
    with pytest.raises(ValueError, match=says):
        read_settings(text, "it")
