"""Elementwise functions (ops.md sections 2 to 4)."""

import torch
import torch.nn.functional as F

from drawn import FEW, SPECIAL, WHOLE, f, grid, normal, uniform, whole

special = f(*SPECIAL)
near = f(-8, -3, -2.5, -1.2, -0.9, -0.5, -0.1, -1e-3, -1e-4, 0, 1e-4, 1e-3, 0.1, 0.3, 0.5, 0.7, 0.99, 1, 1.5, 2.2, 3.1, 5, 9, 20)
angles = f(-1000.5, -100, -31.4, -3.5, -1.6, -0.8, -0.3, 0, 0.2, 0.7, 1.5, 2.1, 3.1, 4.8, 6.2, 50, 700, float("inf"), float("nan"))
ends = f(-float("inf"), float("inf"), float("nan"), -90, -40, 40, 90)

CASES = {}
for name in ["exp2", "atan", "asinh", "erf", "erfc", "sigmoid", "tanh", "expm1"]:
    for title, x in [("special", special), ("near", near), ("ends", ends)]:
        CASES[f"{name} {title}"] = ([x], getattr(torch, name))
for name in ["sin", "cos"]:
    CASES[name] = ([angles], getattr(torch, name))
CASES["tan"] = ([f(-100, -3.5, -1.2, -0.3, 0, 0.2, 0.7, 1.4, 2.1, 3.1, 50)], torch.tan)
for name in ["asin", "acos", "atanh", "erfinv"]:
    CASES[name] = ([f(-2, -1, -0.95, -0.6, -0.4, -1e-3, 0, 1e-3, 0.3, 0.55, 0.7, 0.99, 0.9999, 1, 1.5, float("nan"))], getattr(torch, name))
for name in ["sinh", "cosh"]:
    CASES[name] = ([near], getattr(torch, name))
    CASES[f"{name} ends"] = ([ends], lambda x, n=name: getattr(torch, n)(x).float())
CASES["acosh"] = ([f(0.5, 1, 1.0001, 1.5, 3, 100, 2e4, 1e10, float("inf"), float("nan"))], torch.acosh)
CASES["lgamma"] = ([f(-3.3, -2, -1.5, -0.5, 0, 1e-3, 0.3, 0.5, 1, 1.5, 2, 2.5, 3, 7, 30, 1e4, 1e10, float("inf"), float("nan"))], torch.lgamma)
CASES["digamma"] = ([f(-3.3, -2, -1.5, -0.5, 0, 1e-2, 0.3, 0.5, 1, 1.5, 2, 7, 30, 1e4, float("inf"), float("nan"))], torch.digamma)
CASES["sinc"] = ([f(-2.5, -1, -0.5, -1e-4, 0, 1e-4, 2e-3, 0.3, 1, 1.5, 7.25)], torch.sinc)
CASES["cbrt"] = ([f(-27, -1, -1e-4, 0, 1e-20, 0.5, 8, 1e30, float("inf"), float("nan"))], lambda x: x.sign() * x.abs() ** (1 / 3))
CASES["logit"] = ([f(-0.5, 0, 1e-3, 0.3, 0.5, 0.9, 1, 1.5)], torch.logit)
CASES["logit within"] = ([f(-0.5, 0, 1e-3, 0.3, 0.5, 0.9, 1, 1.5)], lambda x: torch.logit(x, 0.125))
CASES["nan_to_num"] = ([special], lambda x: torch.nan_to_num(x.float()))
CASES["nan_to_num given"] = ([special], lambda x: torch.nan_to_num(x, 5, 6, 7))
for name in ["isposinf", "isneginf"]:
    CASES[name] = ([special], getattr(torch, name))

for name in ["relu", "relu6", "selu", "logsigmoid", "hardsigmoid", "hardswish", "silu", "mish", "softplus", "hardtanh", "hardshrink", "elu", "celu", "leaky_relu", "gelu", "softshrink"]:
    CASES[f"{name} near"] = ([near], getattr(F, name))
for name in ["relu6", "hardtanh", "hardshrink", "leaky_relu", "elu", "softplus", "hardsigmoid"]:
    CASES[f"{name} special"] = ([special], getattr(F, name))
CASES["tanhshrink"] = ([near], F.tanhshrink)
CASES["softsign"] = ([near], F.softsign)
CASES["threshold"] = ([special], lambda x: F.threshold(x, 0.5, -3.0))
CASES["gelu_tanh"] = ([near], lambda x: F.gelu(x, approximate="tanh"))
CASES["quick_gelu"] = ([near], lambda x: x * torch.sigmoid(1.702 * x))
CASES["elu alpha"] = ([near], lambda x: F.elu(x, 0.7))
CASES["celu alpha"] = ([near], lambda x: F.celu(x, 0.7))
CASES["softplus beta"] = ([near], lambda x: F.softplus(x, 2, 5))
CASES["prelu"] = ([normal(2, 3, 4), f(0.1, 0.2, 0.3)], F.prelu)
CASES["rrelu"] = ([near], lambda x: F.rrelu(x))
CASES["glu"] = ([normal(3, 8)], lambda x: F.glu(x, -1))
CASES["glu dim"] = ([normal(4, 3)], lambda x: F.glu(x, 0))
CASES["swiglu"] = ([normal(3, 8)], lambda x: F.silu(x[:, :4]) * x[:, 4:])
CASES["geglu"] = ([normal(3, 8)], lambda x: F.gelu(x[:, :4]) * x[:, 4:])

few = list(grid(FEW))
integers = list(grid(WHOLE))
nonzero = [whole(9, 1, low=-50, high=50), whole(1, 8, low=1, high=9)]
signs = [integers[0], grid([w for w in WHOLE if w != 0])[1]]
CASES["div_trunc"] = (few, lambda x, y: torch.div(x, y, rounding_mode="trunc"))
CASES["floor_divide"] = (few, torch.floor_divide)
CASES["remainder"] = (few, torch.remainder)
CASES["fmod"] = (few, torch.fmod)
INT = lambda run: lambda *xs: run(*[x.int() for x in xs])
CASES["div_trunc whole"] = (signs, lambda x, y: torch.div(x, y, rounding_mode="trunc").int())
CASES["floor_divide whole"] = (signs, lambda x, y: torch.floor_divide(x, y).int())
CASES["remainder whole"] = (signs, torch.remainder)
CASES["fmod whole"] = (signs, torch.fmod)
CASES["pow"] = (list(grid(FEW + [-3, 4, 0.3, -1.5])), torch.pow)
CASES["pow whole"] = ([whole(7, 1, low=-5, high=6), whole(1, 9, low=0, high=12)], INT(torch.pow))
CASES["pow exponents"] = ([uniform(20, low=0.1, high=9), ], lambda x: torch.stack([x**e for e in [0.5, 2.0, 3.0, -1.0, -2.0, 1.7]]))
CASES["atan2"] = (few, torch.atan2)
CASES["hypot"] = (few, torch.hypot)
CASES["hypot large"] = ([f(3e30, 3e-30, 0, 1e30), f(4e30, 4e-30, 0, 1)], torch.hypot)
CASES["ldexp"] = ([f(1, -1.5, 0.3, 1e30), f(-3, 10, 0, 20)], torch.ldexp)
CASES["logaddexp"] = (few, torch.logaddexp)
CASES["logaddexp2"] = (few, torch.logaddexp2)
CASES["xlogy"] = (few, torch.xlogy)
CASES["xlog1py"] = (few, torch.special.xlog1py)
CASES["heaviside"] = (few, torch.heaviside)
CASES["gcd"] = ([grid([w for w in WHOLE if w != -(2**31)])[0], grid([w for w in WHOLE if w != -(2**31)])[1]], INT(torch.gcd))
CASES["lcm"] = ([whole(9, 1, low=-50, high=50), whole(1, 8, low=-40, high=40)], INT(torch.lcm))
shifts = whole(1, 11, low=0, high=32, seed=3)
CASES["bitwise_left_shift"] = ([integers[0], shifts], INT(torch.bitwise_left_shift))
CASES["bitwise_right_shift"] = ([integers[0], shifts], INT(torch.bitwise_right_shift))
CASES["isclose"] = (few, torch.isclose)
CASES["isclose near"] = ([f(1, 1, 1, 0, 1e6), f(1.000001, 1.0001, 1, 1e-9, 1e6 + 5)], torch.isclose)
CASES["add alpha"] = (few, lambda x, y: [torch.add(x, y, alpha=2), torch.sub(x, y, alpha=0)])
CASES["round decimals"] = ([normal(20) * f(30)], lambda x: [torch.round(x.float(), decimals=1), torch.round(x.float(), decimals=-1)])
CASES["addcmul"] = ([normal(4, 1), normal(5), normal(4, 5)], torch.addcmul)
CASES["lerp"] = ([normal(4, 5), normal(4, 5, seed=1), uniform(4, 5)], torch.lerp)
