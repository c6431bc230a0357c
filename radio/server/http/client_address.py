"""The address of a request's client, also behind a proxy on this machine."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from aiohttp import web


def client_address(request: web.Request) -> str:
    """Return the address of the client; empty if there is none.

    A peer on loopback may be a proxy. It names its client last in `X-Forwarded-For`, which is believed from no other
    peer.
    """
    peer = _unmapped(request.remote or "")
    try:
        if ip_address(peer).is_loopback:
            forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
            return _unmapped(str(ip_address(forwarded)))
    except ValueError:
        pass
    return peer


def _unmapped(address: str) -> str:
    """Return the IPv4 address that a socket of both families shows as an IPv6 address, and others as they are."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return address if mapped is None else str(mapped)


def network(address: str) -> str:
    """Return what limits count as one client: an IPv4 address, or the /64 of IPv6 that a customer usually gets."""
    address = _unmapped(address)
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(parsed) >> 64 << 64)) if isinstance(parsed, IPv6Address) else address
