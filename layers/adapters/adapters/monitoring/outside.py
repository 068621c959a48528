"""Requests to addresses an operator wrote down: never to machines of our own network.

The name is resolved once, every address it has must be public, and the connection goes to that
very address: a name that answers differently a moment later leads nowhere else. Redirects are not
followed.
"""

import ipaddress
import logging
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

import urllib3

from engine.errors import RefusedError, RetryableError

# At DEBUG it prints each path, and that of a webhook or of Telegram is a secret.
logging.getLogger("urllib3").setLevel(logging.INFO)

CONNECT_S, READ_S = 3.0, 5.0
MAX_URL = 1_000
_INSIDE_V6 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16"))
"""Addresses of version 6 that carry one of version 4."""


def check_url(url: str, *, may_be_local: bool) -> str:
    """The host of an address that may be called; its name is not resolved yet.

    Raises
    ------
    RefusedError
        If it is not https to a host, or holds a user.
    """
    parts = urlsplit(url)
    schemes = ("https", "http") if may_be_local else ("https",)
    if parts.scheme not in schemes or not parts.hostname or len(url) > MAX_URL:
        raise RefusedError(f"url must be {' or '.join(schemes)} to a host, at most {MAX_URL} long")
    if parts.username or parts.password or parts.fragment:
        raise RefusedError("url must hold no user, password or fragment")
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return parts.hostname
    if not may_be_local and not _is_public(literal):
        raise RefusedError("url must not lead to a private address")
    return parts.hostname


def post(url: str, body: bytes, headers: Mapping[str, str], *, may_be_local: bool) -> None:
    """Send it once.

    Raises
    ------
    RefusedError
        If the address may not be called.
    RetryableError
        If it did not answer with a status of 200 to 299; the text holds no part of the address.
    """
    host = check_url(url, may_be_local=may_be_local)
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _address(host, port, may_be_local=may_be_local)
    path = parts.path or "/"
    sent = {**headers, "Host": parts.netloc, "Content-Type": "application/json"}
    try:
        with _pool(parts.scheme, address, port, host) as pool:
            answer = pool.request(
                "POST",
                f"{path}?{parts.query}" if parts.query else path,
                body=body,
                headers=sent,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            answer.close()
    except urllib3.exceptions.HTTPError as error:
        raise RetryableError(f"no answer: {type(error).__name__}") from None
    if not 200 <= answer.status < 300:
        raise RetryableError(f"answered {answer.status}")


def _pool(scheme: str, address: str, port: int, host: str) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=CONNECT_S, read=READ_S)
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        address,
        port,
        timeout=timeout,
        cert_reqs="CERT_REQUIRED",
        server_hostname=host,
        assert_hostname=host,
    )


def _address(host: str, port: int, *, may_be_local: bool) -> str:
    """One address of the host, if all of them may be called."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise RetryableError("its name is not known") from None
    addresses = [str(one[4][0]) for one in found]
    if not may_be_local and not all(_is_public(ipaddress.ip_address(each)) for each in addresses):
        raise RefusedError("url must not lead to a private address")
    return addresses[0]


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if any(address in network for network in _INSIDE_V6):
            return False
    return address.is_global and not address.is_multicast
