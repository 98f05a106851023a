"""One long sequence in a process of its own: time, and the most memory the process held. Prints one line of JSON.

python long_sequence.py tanh ours 10000,1,256,64
"""

from __future__ import annotations

import json
import re
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rnn import memory
from rnn.contest import seconds
from rnn.race import OURS, ours
from rnn.sizes import Size, problem


def most_held() -> int:
    """The process's largest resident set so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage tells may be that of the process which started this one
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def measured(cell: str, who: str, size: Size) -> dict[str, float]:
    """Seconds of a second call; bytes that the process held before, at most, and beyond the result."""
    net, x, y = problem(cell, size)
    small = problem(cell, Size(20, 1, 16, 4))
    ours(*small, 4)[OURS]()  # compiles
    if who == "ours":
        call = ours(net, x, y, size.K)[OURS]
    else:
        from rnn import torch_peers

        torch_net = torch_peers.TorchNet(net, x, y)
        call = torch_peers.ways_for(torch_net, size.K)[who]
    before = most_held()
    call()
    spent = seconds(call)
    found = {"seconds": spent, "before": before, "most": most_held()}
    return found | {"beyond": memory.beyond_result(call)[0] if who == "ours" else memory.torch_beyond_result(call)}


if __name__ == "__main__":
    cell, who, size = sys.argv[1:]
    print(json.dumps(measured(cell, who, Size(*map(int, size.split(","))))))
