"""Opens a file with safetensors and touches one tensor, again and again: prints the rate and the peak memory."""

import json
import resource
import sys
import time

from safetensors import safe_open

path, seconds = sys.argv[1], float(sys.argv[2])


def once():
    with safe_open(path, "np") as file:
        return file.get_slice("t0")[1:2][0]


once()
begun = time.perf_counter()
times = 0
while time.perf_counter() - begun < seconds:
    once()
    times += 1
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"value": times / (time.perf_counter() - begun), "peak": peak}))
