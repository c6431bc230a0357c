"""The address of a request's client, even behind a proxy on this machine."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from aiohttp import web


def client_address(request: web.Request) -> str:
    """Return the address of the client; empty if there is none.

    A peer on loopback may be a proxy, which names its client last in `X-Forwarded-For`. The header is ignored from
    other peers.
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
    """Return the IPv4 address of an IPv4-mapped IPv6 address; return other addresses unchanged."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return address if mapped is None else str(mapped)


def network(address: str) -> str:
    """Return the key by which limits count clients: an IPv4 address, or the IPv6 /64 that a customer usually gets."""
    address = _unmapped(address)
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(parsed) >> 64 << 64)) if isinstance(parsed, IPv6Address) else address
