"""A hub of models on loopback: the routes that are asked of the real one, and its ways to fail."""

import asyncio
import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from huggingface_hub import constants

BLOCK = 1 << 14
LARGE = ".safetensors"  # kept in Git LFS, known by SHA-256


@dataclass(slots=True)
class Hub:
    """What it has, how it behaves, and what it was asked.

    Attributes:
        repositories: Folders by ``owner/name``.
        url: What HF_ENDPOINT is set to.
        asked: Method and path of each request, and where it wanted a file from, in bytes.
        status: Answered to everything, where it is not 200; `headers` go with it.
        garbled: Names of files that come with one byte changed.
        cut: Names of files that come short, as if that were all.
        hold: After so many bytes of a large file it says nothing more until `release`; `held` is set then.
        drop: After so many bytes of a large file the connection breaks, once.
    """

    repositories: Mapping[str, Path]
    url: str = ""
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    garbled: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    hold: int | None = None
    drop: int | None = None
    held: threading.Event = field(default_factory=threading.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)
    _loop: asyncio.AbstractEventLoop | None = None

    @property
    def fetched(self) -> list[tuple[str, int]]:
        """Which files were asked for, and from which byte."""
        return [
            (path.partition("/resolve/")[2].partition("/")[2], at) for _, path, at in self.asked if at >= 0
        ]

    def release(self) -> None:
        """Let what is held go on, and hold nothing more; to be called on any thread but its own."""
        self.hold = None
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._released.set)

    async def about(self, request: web.Request) -> web.Response:
        """Answer what a repository has."""
        self.asked.append((request.method, request.path, -1))
        folder = self.repositories.get(request.match_info["repository"])
        if refusal := self._refusal(folder):
            return refusal
        assert folder is not None
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        siblings = [described(folder, path) for path in files]
        sha = hashlib.sha1(repr(siblings).encode()).hexdigest()
        return web.json_response({"id": request.match_info["repository"], "sha": sha, "siblings": siblings})

    async def resolve(self, request: web.Request) -> web.StreamResponse:
        """Answer a file, or the rest of it."""
        folder = self.repositories.get(request.match_info["repository"])
        wanted = request.headers.get("Range", "bytes=0-")
        start = int(wanted.removeprefix("bytes=").partition("-")[0])
        self.asked.append((request.method, request.path, start))
        if refusal := self._refusal(folder):
            return refusal
        assert folder is not None
        path = folder / request.match_info["path"]
        if not path.is_file():
            return web.Response(status=404, headers={"X-Error-Code": "EntryNotFound"})
        content = self._content(path)
        answer = web.StreamResponse(status=206 if "Range" in request.headers else 200)
        answer.headers["X-Repo-Commit"] = request.match_info["revision"]
        answer.headers["ETag"] = f'"{digest(path)}"'
        answer.headers["Content-Length"] = str(len(content) - start)
        await answer.prepare(request)
        for at in range(start, len(content), BLOCK):
            await answer.write(content[at : at + BLOCK])
            if self.hold is not None and path.suffix == LARGE and at + BLOCK - start >= self.hold:
                self.held.set()
                await self._released.wait()
            if self.drop is not None and path.suffix == LARGE and at + BLOCK - start >= self.drop:
                self.drop = None
                assert request.transport is not None
                request.transport.close()
                break
        return answer

    def _content(self, path: Path) -> bytes:
        content = path.read_bytes()
        if path.name in self.garbled:
            content = content[:-1] + bytes([content[-1] ^ 1])
        return content[: len(content) // 2] if path.name in self.cut else content

    def _refusal(self, folder: Path | None) -> web.Response | None:
        if self.status != 200:
            return web.Response(status=self.status, headers=self.headers)
        if folder is None:  # as the real one, which hides what is private
            return web.Response(status=401, headers={"X-Error-Code": "RepoNotFound"})
        return None


def described(folder: Path, path: Path) -> dict[str, object]:
    """Return what the hub says of a file."""
    size = path.stat().st_size
    told: dict[str, object] = {
        "rfilename": path.relative_to(folder).as_posix(),
        "size": size,
        "blobId": git_name(path.read_bytes()),
    }
    if path.suffix == LARGE:
        told["lfs"] = {"sha256": digest(path), "size": size, "pointerSize": 134}
    return told


def digest(path: Path) -> str:
    """Return what the hub knows a file by."""
    content = path.read_bytes()
    return hashlib.sha256(content).hexdigest() if path.suffix == LARGE else git_name(content)


def git_name(content: bytes) -> str:
    """Return what git calls a file of that content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def use(hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process ask *hub*, and keep what comes in *cache*; the library reads its environment once."""
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


@contextmanager
def hub_of(repositories: Mapping[str, Path]) -> Iterator[Hub]:
    """Run a hub that has *repositories*, on a thread of its own."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    hub = Hub(repositories, _loop=loop)
    over = asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/api/models/{repository:[^/]+/[^/]+}", hub.about)
        app.router.add_get("/api/models/{repository:[^/]+/[^/]+}/revision/{revision}", hub.about)
        app.router.add_get("/{repository:[^/]+/[^/]+}/resolve/{revision}/{path:.+}", hub.resolve)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        hub.url = "http://{}:{}".format(*runner.addresses[0][:2])
        ready.set()
        await over.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield hub
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
