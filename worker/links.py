"""Pictures by address, fetched: the only part of the worker that speaks to a network of its own accord."""

import asyncio
import socket
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import aiohttp
from yarl import URL

from worker.api import ErrorCode, LinksRefused, WorkerError
from worker.foreign import MOST_PIXELS, NoPicture, TooManyPixels, naturalized
from worker.guard import Guard

MOST_LINKS = 8  # in one prompt
MOST_BYTES = 10 * 2**20  # of one file; Discord's own limit for people without a subscription
MOST_HOPS = 3  # redirects; each is checked like the first
SECONDS = 10.0  # for all pictures of one prompt
AT_ONCE = 4  # prompts whose pictures are fetched at the same time
CHUNK = 64 * 2**10
GONE = frozenset({401, 403, 404, 410})  # Discord says 404 of a link that has expired
HEADERS = MappingProxyType({"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "Journeyman"})


class Links:
    """Fetches pictures by address, within limits and past a guard."""

    def __init__(
        self, guard: Guard | None = None, *, seconds: float = SECONDS, most_bytes: int = MOST_BYTES
    ) -> None:
        """Fetch what *guard* lets through, by default from Discord only.

        Args:
            guard: Decides about addresses.
            seconds: What all pictures of one prompt may take together, waiting for others' among it.
            most_bytes: What one file may have.
        """
        self._guard = Guard() if guard is None else guard
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._decoding = asyncio.Lock()  # decoded pictures are large: one at a time

    async def fetch(self, addresses: Collection[str]) -> Mapping[str, bytes]:
        """Return the picture at each of *addresses* as a PNG of our own making.

        Raises:
            LinksRefused: Some are not to be had; all that are not are named.
        """
        wanted = list(dict.fromkeys(addresses))
        refused = {
            each: WorkerError(ErrorCode.LINKS_TOO_MANY, most=MOST_LINKS) for each in wanted[MOST_LINKS:]
        }
        refused |= {
            each: WorkerError(ErrorCode.LINK_REFUSED, host=_host(each))
            for each in wanted
            if not self._guard.allows(each)
        }
        if refused:  # then nothing is asked for
            raise LinksRefused(refused)
        end = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(end):
                await self._turns.acquire()
        except TimeoutError:
            raise LinksRefused({each: self._late() for each in wanted}) from None
        try:
            found = await asyncio.gather(*(self._tried(each, end) for each in wanted))
        finally:
            self._turns.release()
        refused = {each: got for each, got in zip(wanted, found, strict=True) if isinstance(got, WorkerError)}
        if refused:
            raise LinksRefused(refused)
        return {each: got for each, got in zip(wanted, found, strict=True) if isinstance(got, bytes)}

    async def _tried(self, address: str, end: float) -> bytes | WorkerError:
        """Return the picture, or why there is none."""
        try:
            async with asyncio.timeout_at(end):
                body = await self._body(URL(address))
                async with self._decoding:
                    return await asyncio.to_thread(naturalized, body)
        except TimeoutError:
            return self._late()
        except NoPicture:
            return WorkerError(ErrorCode.LINK_NO_PICTURE)
        except TooManyPixels:
            return WorkerError(ErrorCode.LINK_TOO_LARGE, limit=f"{MOST_PIXELS // 10**6} megapixels")
        except WorkerError as error:
            return error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return WorkerError(ErrorCode.LINK_UNREACHABLE, error=type(error).__name__)

    def _late(self) -> WorkerError:
        return WorkerError(ErrorCode.LINK_TIMED_OUT, seconds=int(self._seconds))

    async def _body(self, url: URL) -> bytes:
        """Follow *url* to its file and return that.

        Raises:
            WorkerError: Coded, if what stopped it is known.
        """
        for _ in range(MOST_HOPS + 1):
            door = Door(self._guard, url)
            connector = aiohttp.TCPConnector(socket_factory=door.socket, limit=1, force_close=True)
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    trust_env=False,  # a proxy would connect in our place, past the guard
                    auto_decompress=False,
                    headers=HEADERS,
                ) as session,
            ):
                try:
                    async with session.get(url, allow_redirects=False) as answer:
                        if not 300 <= answer.status < 400:  # noqa: PLR2004
                            return await self._read(answer)
                        url = self._next(url, answer)
                except aiohttp.ClientConnectionError:
                    if door.refused:
                        raise WorkerError(ErrorCode.LINK_REFUSED, host=url.host or "") from None
                    raise
        raise WorkerError(ErrorCode.LINK_UNREACHABLE, error="too many redirects")

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        """Return the body, counted while it comes: what is said of its length need not be true."""
        if answer.status in GONE:
            raise WorkerError(ErrorCode.LINK_GONE)
        if answer.status != 200:  # noqa: PLR2004
            raise WorkerError(ErrorCode.LINK_UNREACHABLE, error=f"HTTP {answer.status}")
        body = bytearray()
        too_large = (answer.content_length or 0) > self._most_bytes
        while not too_large and (chunk := await answer.content.read(CHUNK)):
            body += chunk
            too_large = len(body) > self._most_bytes
        if too_large:
            raise WorkerError(ErrorCode.LINK_TOO_LARGE, limit=f"{self._most_bytes // 2**20} MB")
        return bytes(body)

    def _next(self, url: URL, answer: aiohttp.ClientResponse) -> URL:
        """Return where a redirect leads, if that is open too."""
        target = url.join(URL(answer.headers.get("Location", "")))
        if not self._guard.allows(str(target)):
            raise WorkerError(ErrorCode.LINK_REFUSED, host=target.host or "")
        return target


class Door:
    """Makes the sockets of one request, and none to where the guard lets nobody go."""

    def __init__(self, guard: Guard, url: URL) -> None:
        self._guard = guard
        self._url = url
        self.refused = False

    def socket(self, address: tuple[Any, ...]) -> socket.socket:
        """Return an unconnected socket for *address*, as `socket.getaddrinfo` gives it.

        What is looked at here is what is connected to: there is no second look-up in between.

        Raises:
            PermissionError: The address is not open.
        """
        family, kind, protocol, _, target = address
        if not self._guard.admits(self._url, target[0]):
            self.refused = True
            raise PermissionError(f"no pictures are fetched from {target[0]}")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made


def _host(address: str) -> str:
    try:
        return URL(address).host or ""
    except ValueError:
        return ""
