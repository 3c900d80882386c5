"""`fw check` of a large network allocates nothing of its size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PICTURES = ["pictures", "--config-dir", str(HERE), "data.size=224", "data.classes=1000"]
# A small network first: what it needs, the others need too.
COMMANDS = {
    "small": ["gpt2_small", "network.args.width=16", "network.args.heads=2", "data.vocabulary=50"],
    "resnet50": [*PICTURES, "network=resnet50"],
    "gpt2": ["gpt2_small"],
    "tinyllama": ["tinyllama"],
}
PARAMETERS = {"resnet50": 25_557_032, "gpt2": 124_439_808, "tinyllama": 1_100_048_384}
# The peak of the process so far, in KiB; what a parent had before it was started does not count.
CHILD = """
import json, re, sys
from pathlib import Path
from framework.cli.main import main

peaks = {}
for name, words in json.loads(sys.argv[1]).items():
    sys.argv = ["fw", "check", *words]
    assert not main(), name
    peaks[name] = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
print(json.dumps(peaks), file=sys.stderr)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from Linux's /proc")
def test_checking_takes_a_small_part_of_the_memory_of_the_parameters() -> None:
    words = [sys.executable, "-c", CHILD, json.dumps(COMMANDS)]
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ | {"JAX_PLATFORMS": "cpu"}, check=False)
    assert done.returncode == 0, done.stderr
    peaks = json.loads(done.stderr.splitlines()[-1])
    for name, count in PARAMETERS.items():
        assert f"{count:,} parameters" in done.stdout
        assert 1024 * (peaks[name] - peaks["small"]) < 0.4 * 4 * count, peaks
