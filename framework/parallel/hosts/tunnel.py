"""A local stand-in for JAX's coordination service, which keeps quiet when the real one goes.

JAX's client ends its process with an abort and a dump of the stack at the instant the connection to the service breaks,
before anybody can say which process is missing. Behind the tunnel it does not notice: the local connection stays open,
and `Team`, which sees the loss as soon, tells it in words.
"""

from __future__ import annotations

import socket
import threading

_CHUNK = 1 << 16


def open_tunnel(host: str, port: int) -> int:
    """Listen on a local port and pass every connection on to `host:port`; gives the local port."""
    listener = socket.create_server(("127.0.0.1", 0))
    _start(_accept, listener, host, port)
    return listener.getsockname()[1]


def _accept(listener: socket.socket, host: str, port: int) -> None:
    while True:
        local, _ = listener.accept()
        try:
            remote = socket.create_connection((host, port))
        except OSError:
            local.close()
            continue
        _start(_pump, remote, local, False)
        _start(_pump, local, remote, True)


def _pump(source: socket.socket, sink: socket.socket, close: bool) -> None:
    """Copy until the source ends; then end the sink too, where `close`."""
    try:
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    except OSError:
        # Broken is ended.
        source.close()
    if close:
        sink.close()


def _start(function: object, *arguments: object) -> None:
    threading.Thread(target=function, args=arguments, name="tunnel", daemon=True).start()  # pyright: ignore[reportArgumentType]
