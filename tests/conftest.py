"""What every test process needs before anything of ours is imported."""

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Two cores: threads that spin while they wait cost more than they gain, and no test may reach for a hub.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def stays_here(address: Any) -> bool:
    """Tell whether a socket's address, or a name to look up, is this machine."""
    if not isinstance(address, tuple):
        return True  # a file's name: a Unix socket
    host = address[0]
    if host is None or host in {"", "localhost", b"localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def _nothing_leaves_this_machine() -> Iterator[None]:
    """Let every attempt of this process to reach another machine raise, name lookups included."""

    def demand(address: Any) -> None:
        if not stays_here(address):
            raise RuntimeError(f"a test reached for {address}, which is not this machine")

    def connect(self: socket.socket, address: Any, /) -> None:
        demand(address)
        real_connect(self, address)

    def connect_ex(self: socket.socket, address: Any, /) -> int:
        demand(address)
        return real_connect_ex(self, address)

    def lookup(host: Any, *others: Any, **more: Any) -> Any:
        demand((host,))
        return real_lookup(host, *others, **more)

    real_connect, real_connect_ex = socket.socket.connect, socket.socket.connect_ex
    real_lookup = socket.getaddrinfo
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect_ex)
        patch.setattr(socket, "getaddrinfo", lookup)
        yield


@pytest.fixture(autouse=True)
def _one_torch_thread() -> None:
    """Keep torch to one thread in tests that loaded it; collection must not load it."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top of the repository."""
    return Path(__file__).resolve().parent.parent
