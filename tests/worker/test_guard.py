"""Which addresses pictures may come from, tested where that is decided: nothing is looked up or opened."""

import socket

import pytest
from yarl import URL

from worker.guard import Guard, public
from worker.links import Door

CDN = "https://cdn.discordapp.com/attachments/1/2/fox.png?ex=6568&is=6566&hm=ab"
LOCAL = "http://127.0.0.1:8123"

PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",  # carriers' own
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",  # where clouds tell their secrets
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.5",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",  # IPv4-compatible, of old
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",  # NAT64 to 127.0.0.1
    "64:ff9b::a9fe:a9fe",  # NAT64 to 169.254.169.254
    "64:ff9b:1::8.8.8.8",
    "2001::1",  # Teredo
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",  # 6to4 to 127.0.0.1
    "2002:808:808::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "100::1",
    "3fff::1",
    "5f00::1",
    "localhost",
    "",
]


@pytest.mark.parametrize("ip", PRIVATE)
def test_what_is_not_the_public_internet_is_closed(ip: str) -> None:
    assert not public(ip)
    assert not Guard(hosts=("*",)).admits(URL("https://example.org/a.png"), ip)


@pytest.mark.parametrize("ip", ["8.8.8.8", "162.159.130.233", "2606:4700::6810:1", "64:ff9b::808:808"])
def test_the_public_internet_is_open(ip: str) -> None:
    assert public(ip)


@pytest.mark.parametrize("ip", PRIVATE[:-2])
def test_a_socket_to_a_closed_address_is_never_made_whatever_name_led_there(ip: str) -> None:
    door = Door(Guard(hosts=("*",)), URL("https://rebound.example.org/a.png"))
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with pytest.raises(PermissionError):
        door.socket((family, socket.SOCK_STREAM, 6, "", (ip, 443)))
    assert door.refused


def test_a_socket_to_a_public_address_is_made() -> None:
    door = Door(Guard(), URL(CDN))
    with door.socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("162.159.130.233", 443))) as made:
        assert made.getblocking() is False
    assert not door.refused


@pytest.mark.parametrize("host", ["cdn.discordapp.com", "media.discordapp.net", "CDN.discordapp.com"])
def test_discords_own_hosts_are_open(host: str) -> None:
    assert Guard().allows(f"https://{host}/attachments/1/2/fox.png?ex=1&is=2&hm=3")
    assert Guard().allows(f"https://{host}:443/ephemeral-attachments/1/2/fox.png")


@pytest.mark.parametrize(
    "address",
    [
        "http://cdn.discordapp.com/a.png",
        "https://cdn.discordapp.com:8443/a.png",
        "https://cdn.discordapp.com:22/a.png",
        "https://user@cdn.discordapp.com/a.png",
        "https://user:secret@cdn.discordapp.com/a.png",
        "https://:secret@cdn.discordapp.com/a.png",
        "https://cdn.discordapp.com@example.org/a.png",
        "https://cdn.discordapp.com.example.org/a.png",
        "https://example.org/cdn.discordapp.com/a.png",
        "https://example.org#cdn.discordapp.com/a.png",
        "https://example.org\\@cdn.discordapp.com/a.png",
        "https://xcdn.discordapp.com/a.png",
        "https://discordapp.com/a.png",
        "https://cdn.discordapp.com./a.png",
        "ftp://cdn.discordapp.com/a.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "https://127.0.0.1/a.png",
        "https://2130706433/a.png",
        "https://0x7f.1/a.png",
        "https://[::1]/a.png",
        "https://[::ffff:127.0.0.1]/a.png",
        "https://localhost/a.png",
        "https://metadata.google.internal/a.png",
        "https:///a.png",
        "https://[cdn.discordapp.com/a.png",
        "https://cdn.discordapp.com:port/a.png",
        "//cdn.discordapp.com/a.png",
        "",
        f"{LOCAL}/attachments/1/2/fox.png",
    ],
)
def test_nothing_else_is_open_by_itself(address: str) -> None:
    assert not Guard().allows(address)


def test_an_operator_opens_hosts_by_name() -> None:
    guard = Guard(hosts=("images.example.org", "*.example.net"))
    assert guard.allows("https://images.example.org/a.png")
    assert guard.allows("https://deep.down.example.net/a.png")
    assert not guard.allows("https://example.net/a.png")
    assert not guard.allows("https://notexample.net/a.png")
    assert not guard.allows("https://other.example.org/a.png")
    assert not guard.allows("http://images.example.org/a.png")
    assert Guard(hosts=("*",)).allows("https://anything.example.org/a.png")


def test_of_a_local_discord_the_attachments_are_open_and_nothing_else() -> None:
    guard = Guard(local=LOCAL)
    fox = URL(f"{LOCAL}/attachments/1/2/fox.png")
    assert guard.allows(str(fox))
    assert guard.admits(fox, "127.0.0.1")
    assert not guard.admits(fox, "10.0.0.1")
    assert not guard.admits(fox, "8.8.8.8")
    for closed in (
        f"{LOCAL}/api/v10/users/@me",
        f"{LOCAL}/attachments/../api/v10/gateway",
        f"{LOCAL}/attachments/%2e%2e/api/v10/gateway",
        f"{LOCAL}/attachments/%2e%2e%2fapi/v10/gateway",
        "http://127.0.0.1:8124/attachments/1/2/fox.png",
        "https://127.0.0.1:8123/attachments/1/2/fox.png",
        "http://localhost:8123/attachments/1/2/fox.png",
        "http://user@127.0.0.1:8123/attachments/1/2/fox.png",
    ):
        assert not guard.allows(closed), closed
    assert not guard.admits(URL(CDN), "127.0.0.1"), "only its own base is on this machine"


def test_a_local_discord_that_is_not_on_this_machine_opens_nothing() -> None:
    assert not Guard(local="http://10.0.0.1:80").allows("http://10.0.0.1:80/attachments/1/2/fox.png")
