/**
 * The guest's half of what it is granted of the world: `fetch`, `fs`, `gpu`, and what one needs to use them. Without the grant
 * its function is not there.
 *
 * @module
 */

/** A function of the prelude's own tools and the doors that are open. */
export const OUTWARD_PRELUDE: string = String.raw`(function (tools, doors) {
  "use strict";
  const { ask, opaque, failure, install, freeze, create, keys, hasOwn, uncurry, isArray, parse, bufferOf, kindOf, textOfBytes, bytesOfText } = tools;
  const U8 = Uint8Array, TypeErrorOf = TypeError, RangeErrorOf = RangeError, StringOf = String, Buffer = ArrayBuffer;
  const { defineProperty } = Object;
  const Weak = WeakMap, getOf = uncurry(Weak.prototype.get), putIn = uncurry(Weak.prototype.set), lower = uncurry(String.prototype.toLowerCase);
  const sliceBytes = uncurry(U8.prototype.slice), iterator = Symbol.iterator;
  const getter = (of) => ({ __proto__: null, get: of, enumerable: true });

  function bytesOf(value) {
    if (typeof value === "string") {
      const made = bytesOfText(value);
      if (made === undefined) throw new RangeErrorOf("a text of more than 16 MiB cannot be encoded");
      return new U8(made);
    }
    if (kindOf(value) === "Uint8Array") return value;
    if (value instanceof Buffer) return new U8(value);
    throw new TypeErrorOf("text or bytes are needed");
  }
  function textOf(bytes, fatal) {
    const text = textOfBytes(bufferOf(new U8(bytes)), fatal === true);
    if (text === undefined) throw new TypeErrorOf("the bytes are not UTF-8, or more than 16 MiB");
    return text;
  }

  install("TextEncoder", function TextEncoder() {
    return freeze({ __proto__: null, encoding: "utf-8", encode: opaque((text = "") => bytesOf(StringOf(text)), "encode") });
  });
  install("TextDecoder", function TextDecoder(label = "utf-8", options) {
    const name = lower(StringOf(label)), fatal = options !== undefined && options !== null && options.fatal === true;
    if (name !== "utf-8" && name !== "utf8") throw new RangeErrorOf("only UTF-8 can be decoded");
    return freeze({ __proto__: null, encoding: "utf-8", fatal, decode: opaque((bytes) => bytes === undefined ? "" : textOf(bytesOf(bytes), fatal), "decode") });
  });

  const signals = new Weak();
  install("AbortController", function AbortController() {
    const inner = { __proto__: null, aborted: false, reason: undefined, listeners: create(null), last: 0 };
    const signal = create(null);
    defineProperty(signal, "aborted", getter(() => inner.aborted));
    defineProperty(signal, "reason", getter(() => inner.reason));
    signal.throwIfAborted = opaque(() => { if (inner.aborted) throw inner.reason; }, "throwIfAborted");
    signal.addEventListener = opaque((kind, listener) => {
      if (kind === "abort" && typeof listener === "function") inner.listeners[++inner.last] = listener;
    }, "addEventListener");
    putIn(signals, freeze(signal), inner);
    const abort = opaque((reason) => {
      if (inner.aborted) return;
      inner.aborted = true;
      inner.reason = reason === undefined ? failure("it was aborted", "E_ABORTED") : reason;
      const listeners = inner.listeners;
      inner.listeners = create(null);
      const ids = keys(listeners);
      for (let at = 0; at < ids.length; at++) listeners[ids[at]]();
    }, "abort");
    return freeze({ __proto__: null, signal, abort });
  });
  async function asked(door, input, signal) {
    if (signal === undefined || signal === null) return await ask("reach", door, input);
    const inner = getOf(signals, signal);
    if (inner === undefined) throw new TypeErrorOf("signal is not that of an AbortController");
    if (inner.aborted) throw inner.reason;
    const id = ++inner.last;
    try {
      return await ask("reach", door, input, (stop) => { inner.listeners[id] = () => stop(inner.reason); });
    } finally { delete inner.listeners[id]; }
  }

  function pairsOf(given) {
    const pairs = [];
    if (given === undefined || given === null) return pairs;
    const add = (name, value) => { defineProperty(pairs, pairs.length, { __proto__: null, value: [StringOf(name), StringOf(value)], enumerable: true }); };
    if (isArray(given)) for (let at = 0; at < given.length; at++) add(given[at][0], given[at][1]);
    else { const names = keys(given); for (let at = 0; at < names.length; at++) add(names[at], given[names[at]]); }
    return pairs;
  }
  function headersOf(pairs) {
    const get = opaque((name) => {
      const wanted = lower(StringOf(name));
      let value = null;
      for (let at = 0; at < pairs.length; at++) if (pairs[at][0] === wanted) value = value === null ? pairs[at][1] : value + ", " + pairs[at][1];
      return value;
    }, "get");
    const entries = opaque(function* () { for (let at = 0; at < pairs.length; at++) yield [pairs[at][0], pairs[at][1]]; }, "entries");
    return freeze({ __proto__: null, get, has: opaque((name) => get(name) !== null, "has"), entries, [iterator]: entries });
  }
  if (hasOwn(doors, "fetch")) install("fetch", async (url, options) => {
    const { method = "GET", headers, body, redirect = "follow", signal } = options === undefined || options === null ? create(null) : options;
    const input = { __proto__: null, url: StringOf(url), method: StringOf(method), headers: pairsOf(headers), redirect: StringOf(redirect) };
    if (body !== undefined && body !== null) input.body = bytesOf(body);
    const answer = await asked("fetch", input, signal);
    const bytes = answer.body, text = () => textOf(bytes, false);
    return freeze({
      __proto__: null, status: answer.status, ok: answer.status >= 200 && answer.status < 300, statusText: answer.statusText,
      url: answer.url, redirected: answer.redirected, headers: headersOf(answer.headers),
      bytes: opaque(async () => sliceBytes(bytes), "bytes"), arrayBuffer: opaque(async () => bufferOf(sliceBytes(bytes)), "arrayBuffer"),
      text: opaque(async () => text(), "text"), json: opaque(async () => parse(text()), "json"),
    });
  });

  if (hasOwn(doors, "fs")) {
    const path = (value) => { if (typeof value !== "string") throw new TypeErrorOf("a path is text"); return value; };
    const named = (name, call) => opaque(async (a, b, c) => await call(a, b, c), name);
    const read = (of, options) => {
      const { offset = 0, length, signal } = options === undefined || options === null ? create(null) : options;
      return asked("fs/readFile", { __proto__: null, path: path(of), offset, length }, signal);
    };
    const simple = (name) => named(name, (of) => asked("fs/" + name, { __proto__: null, path: path(of) }));
    install("fs", {
      __proto__: null,
      readFile: named("readFile", read),
      readTextFile: named("readTextFile", async (of, options) => textOf(await read(of, options), true)),
      writeFile: named("writeFile", (of, data, options) => asked("fs/writeFile", { __proto__: null, path: path(of), data: bytesOf(data) }, options === undefined ? undefined : options.signal)),
      readDir: simple("readDir"), stat: simple("stat"), mkdir: simple("mkdir"), remove: simple("remove"),
      rename: named("rename", (from, to) => asked("fs/rename", { __proto__: null, path: path(from), to: path(to) })),
    });
  }

  if (hasOwn(doors, "gpu")) {
    const named = (name, call) => opaque(async (a, b, c) => await call(a, b, c), name);
    const through = (name, input) => ask("reach", "gpu/" + name, input);
    install("gpu", {
      __proto__: null,
      info: named("info", () => through("info", null)),
      compile: named("compile", (source) => through("compile", { __proto__: null, source })),
      buffer: named("buffer", (of) => through("buffer", typeof of === "number" ? { __proto__: null, bytes: of } : { __proto__: null, data: bytesOf(of) })),
      write: named("write", (buffer, offset, data) => through("write", { __proto__: null, buffer, offset, data: bytesOf(data) })),
      read: named("read", (buffer, options) => {
        const { offset = 0, length } = options === undefined || options === null ? create(null) : options;
        return through("read", { __proto__: null, buffer, offset, length });
      }),
      dispatch: named("dispatch", (of) => {
        const { shader, entry = "main", bindings = [], grid = 1, params } = of;
        const input = { __proto__: null, shader, entry, bindings, grid };
        if (params !== undefined) input.params = bytesOf(params);
        return through("dispatch", input);
      }),
      release: named("release", (handle) => through("release", { __proto__: null, handle })),
    });
  }
})`;
