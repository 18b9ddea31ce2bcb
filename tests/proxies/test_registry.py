import pytest

from hwnas import proxies
from hwnas.proxies import Context, Measurement, registry, score
from hwnas.proxies.measures.snip import snip
from hwnas.proxies.ranks import COMBINATIONS

from .networks import chain


@pytest.fixture(autouse=True)
def restore_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_PROXIES", dict(registry._PROXIES))


def register(name: str) -> None:
    @proxies.proxy(name=name, higher_is_better=False, needs=(), mode="none", summary="four", source="none")
    def four(context: Context) -> Measurement:
        return Measurement(4.0)


def test_the_built_in_proxies_are_registered() -> None:
    assert {"flops", "grad_norm", "naswot", "params", "snip", "synflow", "synflow_bn"} <= set(proxies.names())
    assert all(proxies.get(name).name == name for name in proxies.names())
    assert list(proxies.names()) == sorted(proxies.names())


def test_every_proxy_says_what_it_is() -> None:
    for proxy in map(proxies.get, proxies.names()):
        assert proxy.summary and proxy.source and proxy.function.__doc__


def test_a_users_proxy_can_be_scored() -> None:
    register("four")
    result = score(chain(), proxies=["four"])["four"]
    assert (result.value, result.higher_is_better, result.mode) == (4.0, False, "none")


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match=r"'snip' is registered already, by hwnas\.proxies\.measures\.snip"):
        register("snip")
    assert proxies.get("snip").function is snip


def test_an_unknown_name_lists_the_nearest() -> None:
    with pytest.raises(ValueError, match="no proxy 'synflw'; did you mean synflow"):
        proxies.get("synflw")
    with pytest.raises(ValueError, match=r"did you mean .*flops.*synflow"):
        proxies.get("zzz")


def test_combinations_are_no_proxies() -> None:
    assert set(registry.JOINED) == set(COMBINATIONS)
    with pytest.raises(ValueError, match="'vote' joins proxies by their ranks among many networks"):
        registry.get("vote")
