"""NumPy as a peer: each line asks for an expression over arrays, and gets the array that it gives, or the error.

A line is {"code": text, "arrays": {name: {"dtype", "shape", "data"}}}, where data is base64 of little-endian elements.
"""

import base64
import json
import sys

import numpy

numpy.seterr(all="ignore")


def array(given):
    data = numpy.frombuffer(base64.b64decode(given["data"]), dtype=given["dtype"])
    return data.reshape(given["shape"])


for line in sys.stdin:
    asked = json.loads(line)
    try:
        names = {name: array(given) for name, given in asked["arrays"].items()}
        made = numpy.asarray(eval(asked["code"], {"np": numpy}, names))
        if made.dtype == numpy.int64:
            made = made.astype("i4")
        data = base64.b64encode(numpy.ascontiguousarray(made).tobytes()).decode()
        print(json.dumps({"dtype": str(made.dtype), "shape": made.shape, "data": data}), flush=True)
    except Exception as error:
        print(json.dumps({"error": str(error)}), flush=True)
