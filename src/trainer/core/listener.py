"""The listening socket of a server, and its address."""

from __future__ import annotations

import os
import socket

from trainer.core.errors import ConfigError

BACKLOG = 512
"""Connections that may wait to be accepted."""


def listen(host: str, port: int, flags: str = "--host or --port") -> socket.socket:
    """A listening socket. `::` listens on all IPv6 and all IPv4 addresses, if the system can do both with one socket.

    Raises ConfigError, which names `flags`, if the address or the port can't be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except (OSError, UnicodeError, OverflowError) as error:
        raise ConfigError(
            f"can't listen on {host} port {port} ({reason_of(error)}); choose another with {flags}"
        ) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or the second half of an answer waits 40 ms
    return listener


def reason_of(error: Exception) -> str:
    """The reason in the system's words, without the address, which `create_server` appends to them."""
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)
    words = (
        error.strerror if isinstance(error, OSError) else None
    )  # a name that can't be looked up has a number below 0
    return (words or str(error)).partition(" (while")[0]


def url_of(host: str, port: int) -> str:
    """The address of the page for people."""
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
