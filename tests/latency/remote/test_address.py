import shlex
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.latency import device
from hwnas.latency.remote.address import Address, parse
from hwnas.latency.remote.ssh import Ssh

WORD = st.from_regex(r"[a-z0-9][a-z0-9-]{0,10}", fullmatch=True)
TEXT = st.text(min_size=1, max_size=20).filter(lambda t: t.encode("utf-8", "ignore").decode() == t)


@given(WORD, st.none() | WORD, st.none() | st.integers(1, 65535), TEXT, st.none() | TEXT, st.lists(TEXT))
def test_an_address_is_read_as_it_was_meant(host, user, port, python, identity, options):
    query = [f"python={quote(python, safe='')}"]
    query += [f"identity={quote(identity, safe='')}"] if identity else []
    query += [f"option={quote(option, safe='')}" for option in options]
    place = f"{user}@" * bool(user) + host + f":{port}" * bool(port)
    read = parse(f"ssh://{place}?{'&'.join(query)}")
    assert read == Address(host, user, port, python, identity, tuple(options))


@pytest.mark.parametrize(
    "url",
    [
        "ssh://",
        "ssh://-oProxyCommand=x",
        "ssh://-G",
        "ssh://-l@host",
        "ssh://a b",
        "ssh://user:secret@host",
        "ssh://host/path",
        "ssh://host:0",
        "ssh://host:70000",
        "ssh://host:x",
        "ssh://host?colour=red",
        "ssh://host?python=",
        "ssh://host?python=a&python=b",
        "ssh://ho;st",
        "http://host",
        "ssh://host#part",
    ],
)
def test_what_is_no_address(url):
    with pytest.raises(ValueError, match=r"^'.*(one looks like ssh://|port must be|must be python)"):
        parse(url)


def test_the_arguments_of_ssh():
    found = parse("ssh://pi@host:2222?identity=k&option=ProxyJump%3Dgate").ssh("echo 'a b'")
    assert found[0] == "ssh" and found[-3:-1] == ["--", "pi@host"]
    assert found.index("ProxyJump=gate") < found.index("BatchMode=yes")
    assert "ServerAliveInterval=15" in found and found[found.index("-p") + 1] == "2222"
    assert found[found.index("-i") + 1] == "k"
    assert shlex.split(found[-1]) == ["exec", "sh", "-c", "echo 'a b'"]
    assert parse("ssh://[::1]:22").destination == "::1"


def test_the_home_of_the_other_side_is_left_to_its_shell():
    assert parse("ssh://h?python=~/a b/python").quoted_python() == "\"$HOME\"/'a b/python'"
    assert parse("ssh://h?python=a;b").quoted_python() == "'a;b'"


def test_a_device_by_its_address():
    found = device("ssh://pi@host:2222", threads=4, precision="int8")
    assert isinstance(found, Ssh) and found.options.threads == 4 and found.options.precision == "int8"
    assert found.machine == "host host"
    with pytest.raises(ValueError, match="is no address"):
        device("ssh")
    with pytest.raises(ValueError, match="threads must be 1"):
        device("ssh://host", threads=0)
    with pytest.raises(ValueError, match="no option 'colour'"):
        device("ssh://host", colour="red")
    with pytest.raises(ValueError, match="no device 'gopher'"):
        device("gopher://host")
