"""Network addresses as text: `node1:5000`, `10.0.0.1:5000`, `[fd00::1]:5000`."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:/\[\]]+)):([0-9]{1,5})")


def host_and_port(address: str) -> tuple[str, int] | None:
    """The two parts of ADDRESS:PORT, or None where the text is none; an IPv6 address stands in brackets."""
    found = _ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found[3]) < 2**16:
        return None
    return found[1] or found[2], int(found[3])
