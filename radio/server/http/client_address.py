"""The address of a request's client, also behind a proxy on this machine."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from aiohttp import web


def client_address(request: web.Request) -> str:
    """Return the address of the client; empty if there is none.

    A peer on loopback may be a proxy. It names its client last in `X-Forwarded-For`, which is believed from no other
    peer.
    """
    peer = request.remote or ""
    try:
        if ip_address(peer).is_loopback:
            return str(ip_address(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()))
    except ValueError:
        pass
    return peer


def network(address: str) -> str:
    """Return what limits count as one client: an IPv4 address, or the /64 of IPv6 that a customer usually gets."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> 64 << 64))
