/**
 * What every shader begins with: the words of the kernel, the types it computes in (one element, or four at a time), and the
 * functions whose built-in forms lose NaN or do not saturate (ops.md §1.5).
 *
 * @module
 */

/** Words that a kernel may have. */
export const MOST_WORDS = 64;
/** Invocations in a workgroup. */
export const GROUP = 64;

/**
 * The beginning of a shader.
 *
 * @param width Elements in a value: 1 or 4.
 */
export function prelude(width: 1 | 4): string {
  const type = (name: string): string => width === 1 ? name : `vec4<${name}>`;
  return `
@group(0) @binding(0) var<uniform> words: array<vec4<u32>, ${MOST_WORDS / 4}>;
alias F = ${type("f32")};
alias I = ${type("i32")};
alias U = ${type("u32")};
alias B = ${type("bool")};
fn word(i: u32) -> u32 { return words[i / 4u][i % 4u]; }
fn nan_f(x: F) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u); }
fn any_nan(x: F, y: F) -> B { return nan_f(x) | nan_f(y); }
fn eq_f(x: F, y: F) -> B { return (x == y) & !any_nan(x, y); }
fn ne_f(x: F, y: F) -> B { return (x != y) | any_nan(x, y); }
fn lt_f(x: F, y: F) -> B { return (x < y) & !any_nan(x, y); }
fn le_f(x: F, y: F) -> B { return (x <= y) & !any_nan(x, y); }
fn gt_f(x: F, y: F) -> B { return (x > y) & !any_nan(x, y); }
fn ge_f(x: F, y: F) -> B { return (x >= y) & !any_nan(x, y); }
fn max_f(x: F, y: F) -> F { return select(select(max(x, y), y, nan_f(y)), x, nan_f(x)); }
fn min_f(x: F, y: F) -> F { return select(select(min(x, y), y, nan_f(y)), x, nan_f(x)); }
fn abs_f(x: F) -> F { return bitcast<F>(bitcast<U>(x) & U(0x7fffffffu)); }
fn neg_f(x: F) -> F { return bitcast<F>(bitcast<U>(x) ^ U(0x80000000u)); }
fn to_i32(x: F) -> I {
  let inside = I(clamp(x, F(-2147483648.0), F(2147483520.0)));
  let high = select(inside, I(2147483647), ge_f(x, F(2147483648.0)));
  return select(high, I(0), nan_f(x));
}
fn to_u32(x: F) -> U {
  let inside = U(clamp(x, F(0.0), F(4294967040.0)));
  let high = select(inside, U(4294967295u), ge_f(x, F(4294967296.0)));
  return select(high, U(0u), nan_f(x));
}
`;
}

/** The number of the invocation; a dispatch in two dims is folded into one. */
export const INVOCATION = `
@compute @workgroup_size(${GROUP})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let invocation = (group.y * groups.x + group.x) * ${GROUP}u + lane;
`;

/** The declaration of a buffer; binding 1 is the output. */
export function buffer(binding: number, name: string, element: string): string {
  const access = binding === 1 ? "read_write" : "read";
  return `@group(0) @binding(${binding}) var<storage, ${access}> ${name}: array<${element}>;\n`;
}
