"""What could reach the network, that pictures by address are not fetched, and that tests stay here."""

import ast
import socket
from pathlib import Path

import pytest

from parser import parse
from tests.worker.house import House, house_in
from worker.api import ErrorCode, Imagine, Rejected

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("parser", "worker", "bot", "playground", "cli", "migrations")
NETWORK = {
    "aiohttp",
    "discord",
    "ftplib",
    "http.client",
    "httpx",
    "requests",
    "smtplib",
    "socket",
    "ssl",
    "urllib.request",
}
NETWORK |= {"huggingface_hub", "websockets", "yarl", "xmlrpc", "telnetlib", "urllib3"}
ALLOWED = {
    "bot": {
        "aiohttp",
        "discord",
        "yarl",
    },  # discord.py, which `bot.endpoint` points at Discord or this machine
    "playground": {"aiohttp", "socket"},  # listens on loopback
    "cli": {"aiohttp", "discord", "socket"},  # starts the bot, listens for machines, looks at ports
}
# What fetches pictures by address, whose guard decides at the socket, so that it makes its sockets itself.
ALONE = {
    "worker/links.py": {"aiohttp", "socket", "yarl"},
    "worker/guard.py": {"yarl"},
    # What fetches the checkpoints that an operator named; the last one looks only at what was fetched before.
    "worker/hub/cache.py": {"huggingface_hub"},
    "worker/hub/fetch.py": {"huggingface_hub"},
    "worker/hub/parcel.py": {"huggingface_hub"},
    "worker/hub/trouble.py": {"huggingface_hub"},
    "cli/measures.py": {"huggingface_hub"},
}


def imported(path: Path) -> set[str]:
    """Return the modules that *path* imports anywhere, whole and by their first name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or "", *(f"{node.module}.{each.name}" for each in node.names)]
        found |= {part for name in names for part in (name, name.partition(".")[0])}
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_only_what_speaks_to_discord_or_listens_here_can_reach_a_network(package: str) -> None:
    paths = sorted((ROOT / package).rglob("*.py"))
    assert paths
    for path in paths:
        alone = ALONE.get(path.relative_to(ROOT).as_posix(), set())
        assert imported(path) & NETWORK <= ALLOWED.get(package, set()) | alone, path


def test_in_the_bot_only_its_aim_opens_a_session_of_its_own() -> None:
    """Whatever else it says goes through discord.py, which knows one address."""
    opening = {
        path.name
        for path in (ROOT / "bot").rglob("*.py")
        if "ClientSession(" in path.read_text(encoding="utf-8")
    }
    assert opening == {"endpoint.py"}


@pytest.fixture
async def house(tmp_path: Path) -> House:
    async with house_in(tmp_path) as house:
        yield house


@pytest.mark.parametrize("prompt", ["{url} a fox", "{url}::2 a fox", "<{url}> a fox"])
async def test_a_picture_by_its_address_is_refused_before_anybody_asks_for_it(
    house: House, prompt: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/secret.png"
        request = parse(prompt.format(url=url))
        assert request.images
        with pytest.raises(Rejected) as caught:
            await house.desk.submit(Imagine(request=request), owner_id=1, key="1", origin="")
        assert caught.value.code is ErrorCode.IMAGES_UNAVAILABLE
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.org", 443), ("2001:db8::1", 80)])
def test_no_test_reaches_another_machine(address: tuple[str, int]) -> None:
    """192.0.2.0/24, 2001:db8::/32 and example.org stand for nobody (RFC 5737, 3849, 2606)."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as mine:
        mine.settimeout(0.1)
        with pytest.raises(RuntimeError, match="not this machine"):
            mine.connect(address)
        with pytest.raises(RuntimeError, match="not this machine"):
            mine.connect_ex(address)
    with pytest.raises(RuntimeError, match="not this machine"):
        socket.getaddrinfo(*address)


def test_tests_reach_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        socket.create_connection(("localhost", listener.getsockname()[1])).close()
