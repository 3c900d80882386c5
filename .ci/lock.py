"""Print a lock file from the report of `pip install --dry-run --report`: names and versions, no URLs.

The resolution is made with Python 3.11, the oldest supported one: a version that installs there also installs on newer
Pythons, while the newest version for a newer Python may have dropped 3.11.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

report = json.loads(Path(sys.argv[1]).read_text())
packages = (item["metadata"] for item in report["install"])
pins = sorted(f"{item['name'].lower().replace('_', '-')}=={item['version']}" for item in packages)
print("# Written by `make lock`. Good for Python 3.11 and newer.")
print("\n".join(pin for pin in pins if not pin.startswith("framework==")))
