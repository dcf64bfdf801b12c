"""Pictures fetched by address, from a server on this machine."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.worker.gallery import Gallery, gallery_open
from tests.worker.test_foreign import BLUE, RED, back, bomb, encoded
from worker.api import ErrorCode, LinksRefused
from worker.guard import Guard
from worker.links import AT_ONCE, MOST_HOPS, MOST_LINKS, Links


@pytest.fixture
async def gallery() -> AsyncIterator[Gallery]:
    async with gallery_open() as opened:
        yield opened


@pytest.fixture
def links(gallery: Gallery) -> Links:
    return Links(gallery.guard, seconds=5, most_bytes=2**20)


async def code_of(links: Links, url: str) -> ErrorCode:
    with pytest.raises(LinksRefused) as caught:
        await links.fetch([url])
    assert list(caught.value.links) == [url]
    assert caught.value.code is caught.value.links[url].code
    return caught.value.code


async def test_pictures_come_by_address_each_once(gallery: Gallery, links: Links) -> None:
    red, blue = gallery.show("red", encoded("PNG", RED)), gallery.show("blue", encoded("JPEG", BLUE))
    found = await links.fetch([red, blue, red])
    assert list(found) == [red, blue]
    assert back(found[red]).getpixel((1, 1)) == RED
    assert back(found[blue]).format == "PNG"
    assert sorted(gallery.asked) == ["blue", "red"]


async def test_what_is_said_of_a_file_counts_for_nothing(gallery: Gallery, links: Links) -> None:
    assert await links.fetch([gallery.show("a.txt", encoded("WEBP"), kind="text/html")])
    assert await code_of(links, gallery.show("b.png", b"<html>")) is ErrorCode.LINK_NO_PICTURE
    assert await code_of(links, gallery.show("c.png", b"")) is ErrorCode.LINK_NO_PICTURE


async def test_every_failure_has_a_code_of_its_own(gallery: Gallery, links: Links) -> None:
    assert await code_of(links, gallery.url("nowhere")) is ErrorCode.LINK_GONE
    assert await code_of(links, gallery.show("late", b"", status=410)) is ErrorCode.LINK_GONE
    assert await code_of(links, gallery.show("ill", b"", status=503)) is ErrorCode.LINK_UNREACHABLE
    assert (
        await code_of(links, gallery.show("half", encoded("PNG"), status=206)) is ErrorCode.LINK_UNREACHABLE
    )
    assert await code_of(links, gallery.show("bomb", bomb(7000, 7000))) is ErrorCode.LINK_TOO_LARGE
    assert await code_of(links, gallery.show("fat", b"\0" * (2**20 + 1))) is ErrorCode.LINK_TOO_LARGE


async def test_all_that_is_wrong_is_told_at_once(gallery: Gallery, links: Links) -> None:
    good, gone, odd = gallery.show("good", encoded("PNG")), gallery.url("gone"), gallery.show("odd", b"text")
    with pytest.raises(LinksRefused) as caught:
        await links.fetch([good, gone, odd])
    codes = {url: error.code for url, error in caught.value.links.items()}
    assert codes == {gone: ErrorCode.LINK_GONE, odd: ErrorCode.LINK_NO_PICTURE}


async def test_a_file_is_measured_while_it_comes(gallery: Gallery, links: Links) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        answer = web.StreamResponse()
        await answer.prepare(request)  # says nothing of a length
        while not gallery.closing.is_set():
            await answer.write(b"\0" * 65536)
            sent += 65536
        return answer

    gallery.answers["endless"] = endless
    assert await code_of(links, gallery.url("endless")) is ErrorCode.LINK_TOO_LARGE
    assert sent < 16 * 2**20


async def test_what_is_packed_is_not_unpacked(gallery: Gallery, links: Links) -> None:
    packed = gzip.compress(b"\0" * 2**22)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    gallery.answers["packed"] = answer
    assert await code_of(links, gallery.url("packed")) is ErrorCode.LINK_NO_PICTURE
    assert gallery.headers[0]["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Authorization", "Referer"} & set(gallery.headers[0])


async def test_a_server_that_never_ends_is_left(gallery: Gallery) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await gallery.closing.wait()
        return answer

    gallery.answers["slow"] = slow
    links = Links(gallery.guard, seconds=0.3)
    began = asyncio.get_running_loop().time()
    assert await code_of(links, gallery.url("slow")) is ErrorCode.LINK_TIMED_OUT
    assert asyncio.get_running_loop().time() - began < 5


async def test_waiting_for_other_peoples_pictures_ends_as_well(gallery: Gallery) -> None:
    async def slow(_: web.Request) -> web.Response:
        await gallery.closing.wait()
        return web.Response()

    gallery.answers["slow"] = slow
    links, url = Links(gallery.guard, seconds=0.5), gallery.url("slow")
    many = await asyncio.gather(*(links.fetch([url]) for _ in range(2 * AT_ONCE)), return_exceptions=True)
    assert all(isinstance(each, LinksRefused) and each.code is ErrorCode.LINK_TIMED_OUT for each in many)
    assert gallery.asked == ["slow"] * AT_ONCE
    assert await links.fetch([gallery.show("fox", encoded("PNG"))]), "their places are free again"


async def test_a_redirect_is_followed_to_what_is_open_and_nowhere_else(
    gallery: Gallery, links: Links
) -> None:
    gallery.show("fox", encoded("PNG"))
    assert await links.fetch([gallery.redirect("hop", "/attachments/fox")])
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.setblocking(False)
        port = other.getsockname()[1]
        for number, target in enumerate(
            [
                f"http://127.0.0.1:{port}/attachments/fox",
                f"{gallery.base}/api/v10/users/@me",
                "http://169.254.169.254/latest/meta-data/",
                "file:///etc/passwd",
                "https://example.org/fox.png",
                "http://[",
                "",
            ]
        ):
            url = gallery.redirect(f"away{number}", target)
            assert await code_of(links, url) in {ErrorCode.LINK_REFUSED, ErrorCode.LINK_UNREACHABLE}, target
        with pytest.raises(BlockingIOError):
            other.accept()


async def test_a_chain_of_redirects_ends(gallery: Gallery, links: Links) -> None:
    round_ = gallery.redirect("round", "/attachments/round")
    assert await code_of(links, round_) is ErrorCode.LINK_UNREACHABLE
    assert gallery.asked.count("round") == MOST_HOPS + 1


async def test_what_the_guard_refuses_is_not_asked_for(gallery: Gallery) -> None:
    red = gallery.show("red", encoded("PNG"))
    strict = Links(Guard())
    assert await code_of(strict, red) is ErrorCode.LINK_REFUSED
    with pytest.raises(LinksRefused):
        await Links(gallery.guard).fetch([red, "https://example.org/a.png"])
    assert gallery.asked == []


async def test_a_name_that_stands_for_this_machine_opens_no_socket_to_it() -> None:
    """`localhost` stands in for any public-looking name that leads inside."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"https://localhost:{443}/a.png"
        assert await code_of(Links(Guard(hosts=("localhost",))), url) is ErrorCode.LINK_REFUSED
        assert await code_of(Links(Guard(hosts=("*",))), "https://127.0.0.1/a.png") is ErrorCode.LINK_REFUSED
        with pytest.raises(BlockingIOError):
            listener.accept()


async def test_a_prompt_has_few_pictures(gallery: Gallery, links: Links) -> None:
    urls = [gallery.show(f"n{n}", encoded("PNG")) for n in range(MOST_LINKS + 2)]
    with pytest.raises(LinksRefused) as caught:
        await links.fetch(urls)
    assert list(caught.value.links) == urls[MOST_LINKS:]
    assert gallery.asked == []
