"""A connection between two processes that carries one JSON object a line."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

_LONGEST = 64 << 20


class Line:
    """One end of a connection. Any thread may send; one thread receives.

    Args:
      connection: of which this takes hold.
      silence_s: an end that says nothing for so long counts as gone; None waits for ever.
    """

    def __init__(self, connection: socket.socket, silence_s: float | None = None) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(silence_s)
        self._connection = connection
        self._reader = connection.makefile("rb")
        self._sending = threading.Lock()

    def silent_after(self, seconds: float) -> None:
        """From now on, an end that says nothing for so long counts as gone."""
        self._connection.settimeout(seconds)

    def send(self, message: dict[str, Any]) -> None:
        """Say something.

        Raises:
          OSError: the other end is gone.
        """
        data = json.dumps(message).encode() + b"\n"
        with self._sending:
            self._connection.sendall(data)

    def receive(self) -> dict[str, Any] | None:
        """The next message; None where the other end has closed, or said what is no message.

        Raises:
          TimeoutError: it was silent for too long.
          OSError: the connection broke.
        """
        text = self._reader.readline(_LONGEST)
        try:
            message = json.loads(text) if text.endswith(b"\n") else None
        except ValueError:
            return None
        return message if isinstance(message, dict) else None

    def close(self) -> None:
        """Let go of it. Whoever is receiving is woken up."""
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The other end was faster.
            self._connection.close()
        self._reader.close()
        self._connection.close()
