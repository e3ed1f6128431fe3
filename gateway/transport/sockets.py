"""A connected socket for libraries that want to be handed one, opened without ever blocking the loop."""

import asyncio
import socket
import ssl
from collections.abc import Callable


async def open_socket(host: str, port: int, tls: ssl.SSLContext | None) -> socket.socket:
    """Return a non-blocking socket connected to `host`, its TLS handshake done; OSError (or SSLError) when not."""
    sock = await _connect(host, port)
    if tls is None:
        return sock
    secured = tls.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    try:
        await _handshake(secured)
    except BaseException:  # a cancelled handshake leaks its socket as surely as a refused one
        secured.close()
        raise
    return secured


async def _connect(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    refused: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            refused = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise refused


async def _handshake(sock: ssl.SSLSocket) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            await _ready(sock, loop.add_reader, loop.remove_reader)
        except ssl.SSLWantWriteError:
            await _ready(sock, loop.add_writer, loop.remove_writer)
        else:
            return


async def _ready(sock: socket.socket, watch: Callable[..., object], unwatch: Callable[..., object]) -> None:
    ready = asyncio.Event()
    watch(sock, ready.set)
    try:
        await ready.wait()
    finally:
        unwatch(sock)
