"""Which addresses pictures may be fetched from. Pure: it decides, and opens nothing.

It is asked twice. Once about the text of an address, before anything is looked up; and once about the numbers
that the name turned out to stand for, at the moment a socket to them would be made. Only the second answer
cannot be got around: names are free to stand for anything, and for something else the next time.
"""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

from yarl import URL

DISCORD = frozenset({"cdn.discordapp.com", "media.discordapp.net"})  # where attachments are
ATTACHMENTS = "/attachments/"  # of a local Discord; the rest of it is none of ours
ANYWHERE = "*"  # any host with a public address
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last 32 bits
UNICAST = IPv6Network("2000::/3")  # all that IANA has given out
# IANA's registries of special-purpose addresses, whole: what Python knows of them changes with its version.
SPECIAL = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # between a carrier and its customers
        "127.0.0.0/8",
        "169.254.0.0/16",  # where clouds tell a machine its secrets
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # Teredo among others
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be asked for a picture.

    Attributes:
        hosts: Names beside Discord's own: ``example.org``, ``*.example.org`` for all below it, or ``*``.
        local: Origin of a Discord on this machine, such as ``http://127.0.0.1:8000``: of all that is not
            public its attachments alone are open.
    """

    hosts: Collection[str] = ()
    local: str | None = None

    def allows(self, address: str) -> bool:
        """Tell whether *address* may be looked up: ``https``, its own port, no credentials, a known host."""
        try:
            url = URL(address)
            port = url.port
        except ValueError:
            return False
        if url.user is not None or url.password is not None or not url.raw_host:
            return False
        if self.is_local(url):
            return True
        return url.scheme == "https" and port == 443 and self._knows(url.raw_host.lower())  # noqa: PLR2004

    def is_local(self, url: URL) -> bool:
        """Tell whether *url* is an attachment of the local Discord."""
        if self.local is None or not loopback(url.raw_host):
            return False
        inside = url.raw_path.startswith(ATTACHMENTS) and ".." not in url.path.split("/")
        return inside and url.origin() == URL(self.local).origin()

    def admits(self, url: URL, ip: str) -> bool:
        """Tell whether a socket may be opened to *ip*, for which the host of *url* stands."""
        return loopback(ip) if self.is_local(url) else public(ip)

    def _knows(self, host: str) -> bool:
        if host in DISCORD:
            return True
        return any(
            each in {host, ANYWHERE} or (each.startswith("*.") and host.endswith(each[1:]))
            for each in self.hosts
        )


def loopback(host: str | None) -> bool:
    """Tell whether *host* names this machine, whatever a name server says."""
    if host is None:
        return False
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def public(ip: str) -> bool:
    """Tell whether *ip* is an address of the public internet; False for what is none at all.

    Addresses that lead to another one (IPv4 mapped into IPv6, 6to4, Teredo) are not, whatever they lead to,
    except NAT64, which networks without IPv4 need: there the address inside decides.
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address in NAT64:
        address = IPv4Address(int(address) & 0xFFFF_FFFF)
    if isinstance(address, IPv6Address) and address not in UNICAST:
        return False
    return not any(address in block for block in SPECIAL)
