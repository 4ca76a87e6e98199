/**
 * How the cases of elementwise functions run here.
 *
 * @module
 */
import * as c from "@alknet/compute";
import type { Cases } from "./suite.ts";

const one = (names: string, tolerance: string, run: (x: c.Tensor) => c.Tensor): Cases =>
  Object.fromEntries(names.split(",").map((name) => [name, [tolerance, ([x]) => run(x)]])) as Cases;
const titles = (name: string, ...of: string[]): string => of.map((title) => `${name} ${title}`).join();
const three = (name: string, tolerance: string, run: (x: c.Tensor) => c.Tensor): Cases =>
  one(titles(name, "special", "near", "ends"), tolerance, run);
const two = (name: string, tolerance: string, run: (x: c.Tensor, y: c.Tensor) => c.Tensor, ...of: string[]): Cases =>
  Object.fromEntries(
    ["", ...of].map((title) => [title ? `${name} ${title}` : name, [tolerance, ([x, y]) => run(x, y)]]),
  ) as Cases;

/** Each case: its class and the function. */
export const ELEMENTS: Cases = {
  ...three("exp2", "A", c.exp2),
  ...three("expm1", "A", c.expm1),
  ...three("atan", "G", c.atan),
  ...three("asinh", "T", c.asinh),
  ...three("erf", "T", c.erf),
  ...three("erfc", "T", c.erfc),
  ...three("sigmoid", "T", c.sigmoid),
  ...three("tanh", "T", c.tanh),
  ...one("sin", "G", c.sin),
  ...one("cos", "G", c.cos),
  ...one("tan", "P", c.tan),
  ...one("asin", "G", c.asin),
  ...one("acos", "G", c.acos),
  ...one("atanh", "T", c.atanh),
  ...one("erfinv", "P", c.erfinv),
  ...one("sinh,sinh ends", "T", c.sinh),
  ...one("cosh,cosh ends", "T", c.cosh),
  ...one("acosh", "T", c.acosh),
  ...one("lgamma", "P", c.lgamma),
  ...one("digamma", "P", c.digamma),
  ...one("sinc", "G", c.sinc),
  ...one("cbrt", "T", c.cbrt),
  ...one("logit", "T", c.logit),
  ...one("logit within", "T", (x) => c.logit(x, 0.125)),
  ...one("nan_to_num", "E", c.nanToNum),
  ...one("nan_to_num given", "E", (x) => c.nanToNum(x, { nan: 5, posinf: 6, neginf: 7 })),
  ...one("isposinf", "E", c.isposinf),
  ...one("isneginf", "E", c.isneginf),
  ...one("relu near", "E", c.relu),
  ...one("relu6 near,relu6 special", "E", c.relu6),
  ...one("selu near", "T", c.selu),
  ...one("logsigmoid near", "T", c.logsigmoid),
  ...one("hardsigmoid near,hardsigmoid special", "A", c.hardsigmoid),
  ...one("hardswish near", "A", c.hardswish),
  ...one("silu near", "T", c.silu),
  ...one("mish near", "T", c.mish),
  ...one("softplus near,softplus special", "T", (x) => c.softplus(x)),
  ...one("hardtanh near,hardtanh special", "E", (x) => c.hardtanh(x)),
  ...one("hardshrink near,hardshrink special", "E", (x) => c.hardshrink(x)),
  ...one("elu near,elu special", "T", (x) => c.elu(x)),
  ...one("celu near", "T", (x) => c.celu(x)),
  ...one("leaky_relu near,leaky_relu special", "R", (x) => c.leakyRelu(x)),
  ...one("gelu near", "T", (x) => c.gelu(x)),
  ...one("softshrink near", "R", (x) => c.softshrink(x)),
  ...one("tanhshrink", "T", c.tanhshrink),
  ...one("softsign", "D", c.softsign),
  ...one("threshold", "E", (x) => c.threshold(x, 0.5, -3)),
  ...one("gelu_tanh", "T", (x) => c.gelu(x, { approximate: "tanh" })),
  ...one("quick_gelu", "T", c.quickGelu),
  ...one("elu alpha", "T", (x) => c.elu(x, 0.7)),
  ...one("celu alpha", "T", (x) => c.celu(x, 0.7)),
  ...one("softplus beta", "T", (x) => c.softplus(x, 2, 5)),
  ...two("prelu", "R", c.prelu),
  ...one("rrelu", "A", (x) => c.rrelu(x)),
  ...one("glu", "T", (x) => c.glu(x)),
  ...one("glu dim", "T", (x) => c.glu(x, 0)),
  ...one("swiglu", "T", (x) => c.swiglu(x)),
  ...one("geglu", "T", (x) => c.geglu(x)),
  ...two("div_trunc", "E", c.divTrunc, "whole"),
  ...two("floor_divide", "E", c.floorDivide, "whole"),
  ...two("remainder", "A", c.remainder, "whole"),
  ...two("fmod", "A", c.fmod, "whole"),
  ...two("pow", "T", c.pow, "whole"),
  ...one("pow exponents", "T", (x) => c.stack([0.5, 2, 3, -1, -2, 1.7].map((e) => c.pow(x, e)))),
  ...two("atan2", "G", c.atan2),
  ...two("hypot", "D", c.hypot, "large"),
  ...two("ldexp", "R", c.ldexp),
  ...two("logaddexp", "A", c.logaddexp),
  ...two("logaddexp2", "A", c.logaddexp2),
  ...two("xlogy", "A", c.xlogy),
  ...two("xlog1py", "A", c.xlog1py),
  ...two("heaviside", "E", c.heaviside),
  ...two("gcd", "E", c.gcd),
  ...two("lcm", "E", c.lcm),
  ...two("bitwise_left_shift", "E", c.bitwiseLeftShift),
  ...two("bitwise_right_shift", "E", c.bitwiseRightShift),
  ...two("isclose", "E", (x, y) => c.isclose(x, y), "near"),
  "add alpha": ["A", ([x, y]) => [c.add(x, y, { alpha: 2 }), c.sub(x, y, { alpha: 0 })]],
  "round decimals": ["D", ([x]) => [c.round(x, 1), c.round(x, -1)]],
  addcmul: ["A", ([x, y, z]) => c.addcmul(x, y, z)],
  lerp: ["A", ([x, y, z]) => c.lerp(x, y, z)],
};
