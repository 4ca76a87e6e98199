"""Operands of cases."""

import numpy

INF = float("inf")
NAN = float("nan")
SPECIAL = [-INF, -1e30, -7.5, -2, -1, -0.5, -1e-4, -0.0, 0, 1e-4, 0.5, 1, 2, 7.5, 1e30, INF, NAN]
FEW = [-INF, -7.5, -2, -1, -0.0, 0.5, 1, 3, INF, NAN]
WHOLE = [0, 1, -1, 2, -7, 2**31 - 1, -(2**31), 1000, -12345, 31, 32]


def f(*values):
    return numpy.array(values, dtype="f4")


def i(*values):
    return numpy.array(values, dtype="i4")


def b(*values):
    return numpy.array(values, dtype="?")


def normal(*shape, seed=0):
    return numpy.random.default_rng([*shape, seed]).standard_normal(shape).astype("f4")


def uniform(*shape, low=0.0, high=1.0, seed=0):
    return numpy.random.default_rng([*shape, seed]).uniform(low, high, shape).astype("f4")


def whole(*shape, low=0, high=10, seed=0):
    return numpy.random.default_rng([*shape, seed]).integers(low, high, shape).astype("i4")


def steps(*shape):
    return numpy.arange(int(numpy.prod(shape)), dtype="f4").reshape(shape)


def grid(values):
    """Each value against each."""
    one = numpy.array(values)
    dtype = "i4" if one.dtype.kind == "i" else "f4"
    return one.astype(dtype).reshape(-1, 1), one.astype(dtype).reshape(1, -1)
