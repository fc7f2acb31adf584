"""How a host is written before a port."""

from __future__ import annotations


def url_host(host: str) -> str:
    """A name or an address as it stands in a URL: an IPv6 address is in brackets (RFC 3986)."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, object]:
        """Names of the filters."""
        return {"common_url_host": url_host}
