"""Ten thousand steps: does it run in less than a gigabyte, the whole process?"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from rnn import goals, memory
from rnn.contest import ms
from rnn.sizes import CELLS, Size

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]
SIZE = Size(10_000, 1, 256, 64)
TITLE = "One long sequence, each in a process of its own"


def measured(cell, who):
    script = Path(__file__).with_name("long_sequence.py")
    command = [sys.executable, str(script), cell, who, ",".join(map(str, SIZE))]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(out)


@pytest.mark.parametrize("cell, who", [*((cell, "ours") for cell in CELLS), ("tanh", "windows side by side")])
def test_ten_thousand_steps(cell, who, report):
    found = measured(cell, who)
    report.add(
        TITLE,
        {
            "cell": cell,
            "T, B, H, K": str(SIZE),
            "who": "itemize" if who == "ours" else f"PyTorch, {who}",
            "ms": ms(found["seconds"]),
            "beyond the result, MB": memory.mb(found["beyond"]),
            "process before, MB": memory.mb(found["before"]),
            "process at most, MB": memory.mb(found["most"]),
        },
    )
    if who == "ours":
        what = f"{cell} {SIZE}: GB held by the process"
        goals.at_most(report, what, found["most"] / 2**30, goals.LARGEST / 2**30)
