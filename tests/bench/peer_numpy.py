"""NumPy's figures of the compute benchmarks, as lines of JSON: peer_numpy.py SECONDS SIDES ELEMENTS."""

import json
import sys
import time

import numpy

seconds, sides, elements = float(sys.argv[1]), [int(side) for side in sys.argv[2].split(",")], int(sys.argv[3])


def measure(name, unit, work, operation):
    operation()
    runs = []
    begun = time.perf_counter()
    while len(runs) < 3 or time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        operation()
        runs.append(time.perf_counter() - start)
    value = work / sorted(runs)[len(runs) // 2] / 1e9
    print(json.dumps({"name": name, "unit": unit, "value": value}), flush=True)


for side in sides:
    a = numpy.full([side, side], 0.5, "f4")
    measure(f"matmul {side}", "GFLOP/s", 2 * side**3, lambda: a @ a)
x = numpy.full([elements], 0.5, "f4")
measure(f"add {elements} elements", "GB/s", 12 * elements, lambda: x + x)
measure(f"exp {elements} elements", "G/s", elements, lambda: numpy.exp(x))
measure(f"sum {elements} elements", "GB/s", 4 * elements, lambda: x.sum())
