/**
 * SHA-256 of many pieces of the same size (FIPS 180-4): as a shader, an invocation a piece, and as JavaScript.
 *
 * @module
 */

/** Invocations of a workgroup of {@linkcode SHA256_WGSL}. */
export const SHA256_GROUP = 64;

const ROUNDS = 64;

/** The first 32 bits of the fractional parts of the roots of the first primes: cube roots for `K`, square roots for `H`. */
const K: readonly number[] = rootsOfPrimes(ROUNDS, (prime) => Math.cbrt(prime));
const H: readonly number[] = rootsOfPrimes(8, (prime) => Math.sqrt(prime));

/**
 * Bindings: the pieces, one after the other; the digests; a uniform of two words, how many pieces, and how many blocks of 64
 * bytes each has.
 */
export const SHA256_WGSL: string = shader();

/** The bytes of the uniform of {@linkcode SHA256_WGSL}. */
export function sha256Params(pieces: number, pieceBytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array([pieces, pieceBytes / 64]).buffer);
}

/**
 * The same in JavaScript: digests of pieces, one after the other. Text of this function runs by itself, in a guest too.
 *
 * @param pieceBytes A multiple of 64.
 */
export function sha256Pieces(data: Uint8Array, pieceBytes: number): Uint8Array<ArrayBuffer> {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  const fraction = (root: number) => ((root - Math.floor(root)) * 2 ** 32) | 0;
  const k = new Int32Array(primes.map((prime) => fraction(Math.cbrt(prime))));
  const first = new Int32Array(primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime))));
  const w = new Int32Array(64);
  const state = new Int32Array(8);
  const pieces = data.length / pieceBytes;
  const digests = new Uint8Array(pieces * 32);
  const block = (word: (at: number) => number): void => {
    for (let t = 0; t < 16; t++) w[t] = word(t);
    for (let t = 16; t < 64; t++) {
      const x = w[t - 15], y = w[t - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[t] = (w[t - 16] + s0 + w[t - 7] + s1) | 0;
    }
    let a = state[0], b = state[1], c = state[2], d = state[3];
    let e = state[4], f = state[5], g = state[6], h = state[7];
    for (let t = 0; t < 64; t++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const one = (h + s1 + ((e & f) ^ (~e & g)) + k[t] + w[t]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g, g = f, f = e, e = (d + one) | 0, d = c, c = b, b = a, a = (one + two) | 0;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  };
  for (let piece = 0; piece < pieces; piece++) {
    state.set(first);
    const end = (piece + 1) * pieceBytes;
    for (let at = piece * pieceBytes; at < end; at += 64) {
      block((t) => {
        const i = at + t * 4;
        return (data[i] << 24) | (data[i + 1] << 16) | (data[i + 2] << 8) | data[i + 3];
      });
    }
    const bits = pieceBytes * 8;
    block((t) => t === 0 ? 0x80000000 | 0 : t === 14 ? Math.floor(bits / 2 ** 32) : t === 15 ? bits | 0 : 0);
    for (let i = 0; i < 32; i++) digests[piece * 32 + i] = state[i >> 2] >>> (24 - 8 * (i & 3));
  }
  return digests;
}

/** Rounds are written out, words are names: indices into arrays are what compilers of shaders are slow with. */
function shader(): string {
  const names = "abcdefgh".split("");
  const rounds: string[] = [];
  for (let t = 0; t < ROUNDS; t++) {
    const w = (back: number) => `w${(t - back) & 15}`;
    if (t >= 16) {
      const [x, y] = [w(15), w(2)];
      const s0 = `(${turned(x, 7)} ^ ${turned(x, 18)} ^ (${x} >> 3u))`;
      const s1 = `(${turned(y, 17)} ^ ${turned(y, 19)} ^ (${y} >> 10u))`;
      rounds.push(`${w(16)} += ${s0} + ${w(7)} + ${s1};`);
    }
    // The names turn, not the values.
    const [a, b, c, d, e, f, g, h] = names.map((_, index) => names[(index - t + 64) & 7]);
    rounds.push(
      `${h} += (${turned(e, 6)} ^ ${turned(e, 11)} ^ ${turned(e, 25)}) + (${g} ^ (${e} & (${f} ^ ${g}))) + ${K[t]}u + ${
        w(0)
      };`,
    );
    rounds.push(`${d} += ${h};`);
    rounds.push(
      `${h} += (${turned(a, 2)} ^ ${turned(a, 13)} ^ ${turned(a, 22)}) + ((${a} & ${b}) | (${c} & (${a} | ${b})));`,
    );
  }
  const words = Array.from({ length: 16 }, (_, t) => t);
  return `
@group(0) @binding(0) var<storage, read> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> digests: array<u32>;
@group(0) @binding(2) var<uniform> sizes: vec2u;

fn swapped(x: u32) -> u32 {
  let y = ((x & 0x00ff00ffu) << 8u) | ((x >> 8u) & 0x00ff00ffu);
  return (y << 16u) | (y >> 16u);
}

@compute @workgroup_size(${SHA256_GROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let piece = id.x;
  if (piece >= sizes.x) { return; }
  let blocks = sizes.y;
  ${H.map((word, at) => `var h${at} = ${word}u;`).join("\n  ")}
  for (var block = 0u; block <= blocks; block++) {
    ${words.map((t) => `var w${t} = 0u;`).join(" ")}
    if (block < blocks) {
      let at = (piece * blocks + block) * 16u;
      ${words.map((t) => `w${t} = swapped(data[at + ${t}u]);`).join(" ")}
    } else {
      w0 = 0x80000000u;
      w14 = blocks >> 23u;
      w15 = blocks << 9u;
    }
    ${names.map((name, at) => `var ${name} = h${at};`).join(" ")}
    ${rounds.join("\n    ")}
    ${names.map((name, at) => `h${at} += ${name};`).join(" ")}
  }
  ${names.map((_, at) => `digests[piece * 8u + ${at}u] = swapped(h${at});`).join("\n  ")}
}
`;
}

function turned(x: string, by: number): string {
  return `((${x} >> ${by}u) | (${x} << ${32 - by}u))`;
}

function rootsOfPrimes(count: number, root: (prime: number) => number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes.map((prime) => Math.floor((root(prime) % 1) * 2 ** 32));
}
