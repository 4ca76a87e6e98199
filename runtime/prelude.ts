/**
 * What runs in a guest before the guest: it captures every function that it needs, installs what the guest is given, and
 * encodes and decodes inside the guest, under the guest's own limits.
 *
 * @module
 */

/**
 * The prelude: a function of the host's functions (`post`, `put`, `take`, `clock`), the granted operations, and what
 * installs the doors that are open; its result is what the host calls.
 */
export const PRELUDE: string = String
  .raw`(function (post, put, take, clock, granted, extend, doors, textOfBytes, bytesOfText) {
  "use strict";
  const uncurry = Function.prototype.bind.bind(Function.prototype.call);
  const { keys, getPrototypeOf, freeze, create, defineProperty, hasOwn } = Object;
  const { isArray } = Array;
  const { stringify, parse } = JSON;
  const U8 = Uint8Array, PromiseOf = Promise, ErrorOf = Error, TypeErrorOf = TypeError, RangeErrorOf = RangeError;
  const BigIntOf = BigInt, NumberOf = Number, StringOf = String, SymbolOf = Symbol;
  const asyncIterator = Symbol.asyncIterator;
  const objectProto = Object.prototype;
  const typedProto = getPrototypeOf(U8.prototype);
  const getter = (of, key) => uncurry(Object.getOwnPropertyDescriptor(of, key).get);
  const bufferOf = getter(typedProto, "buffer"), kindOf = getter(typedProto, SymbolOf.toStringTag);
  const charCodeAt = uncurry(String.prototype.charCodeAt), indexOf = uncurry(String.prototype.indexOf);
  const sliceText = uncurry(String.prototype.slice);
  const bindOf = uncurry(Function.prototype.bind);
  // A bound function shows no source.
  function opaque(called, name) {
    const bound = bindOf(called, undefined);
    defineProperty(bound, "name", { __proto__: null, value: name });
    return freeze(bound);
  }
  const isError = (value) => value instanceof ErrorOf;
  const pending = create(null), handlers = create(null), iterators = create(null), timers = create(null);
  const state = { __proto__: null, last: 0, nodes: 0 };

  function encode(value, depth) {
    if (++state.nodes > 1000000) throw new TypeErrorOf("a value with more than 1000000 parts cannot cross");
    if (typeof value === "string") return stringify(value);
    if (typeof value === "boolean") return value ? "true" : "false";
    if (typeof value === "undefined") return '{"$":"u"}';
    if (typeof value === "bigint") return '{"$":"n","v":"' + value + '"}';
    if (typeof value === "number") {
      const negativeZero = value === 0 && 1 / value < 0;
      if (value - value === 0 && !negativeZero) return "" + value;
      return '{"$":"f","v":"' + (negativeZero ? "-0" : value) + '"}';
    }
    if (value === null) return "null";
    if (typeof value !== "object") throw new TypeErrorOf("a " + typeof value + " cannot cross");
    if (depth >= 64) throw new TypeErrorOf("a value deeper than 64 cannot cross");
    if (kindOf(value) === "Uint8Array") return '{"$":"b","v":' + put(bufferOf(new U8(value))) + "}";
    let text = "";
    if (isArray(value)) {
      const length = value.length;
      for (let at = 0; at < length; at++) text += (at === 0 ? "" : ",") + encode(value[at], depth + 1);
      return "[" + text + "]";
    }
    const proto = getPrototypeOf(value);
    if (proto !== null && proto !== objectProto) throw new TypeErrorOf("an instance of a class cannot cross");
    const names = keys(value), count = names.length, pairs = hasOwn(value, "$");
    for (let at = 0; at < count; at++) {
      const name = names[at], member = value[name];
      if (member === undefined) continue;
      if (text !== "") text += ",";
      const inner = encode(member, depth + 1);
      text += pairs ? "[" + stringify(name) + "," + inner + "]" : stringify(name) + ":" + inner;
    }
    return pairs ? '{"$":"o","v":[' + text + "]}" : "{" + text + "}";
  }
  function encoded(value) {
    state.nodes = 0;
    const text = encode(value, 0);
    if (text.length > 16777216) throw new TypeErrorOf("a value of more than 16 MiB cannot cross");
    return text;
  }
  function revive(value) {
    if (typeof value !== "object" || value === null) return value;
    if (isArray(value)) {
      for (let at = 0; at < value.length; at++) value[at] = revive(value[at]);
      return value;
    }
    if (hasOwn(value, "$")) {
      const tag = value.$;
      if (tag === "u") return undefined;
      if (tag === "f") return NumberOf(value.v);
      if (tag === "n") return BigIntOf(value.v);
      if (tag === "b") return new U8(take(value.v));
      const object = {};
      for (let at = 0; at < value.v.length; at++) {
        const pair = value.v[at];
        defineProperty(object, pair[0], { __proto__: null, value: revive(pair[1]), writable: true, enumerable: true, configurable: true });
      }
      return object;
    }
    const names = keys(value);
    for (let at = 0; at < names.length; at++) value[names[at]] = revive(value[names[at]]);
    return value;
  }
  const decoded = (text) => revive(parse(text));

  function textOf(value, key, otherwise) {
    try {
      const text = value[key];
      return typeof text === "string" ? sliceText(text, 0, 8192) : otherwise;
    } catch { return otherwise; }
  }
  function describe(thrown) {
    let name = "Thrown", message = "", stack = "", code;
    try {
      if (typeof thrown === "object" && thrown !== null) {
        name = textOf(thrown, "name", isError(thrown) ? "Error" : "Thrown");
        message = textOf(thrown, "message", "an object");
        stack = textOf(thrown, "stack", "");
        code = textOf(thrown, "code", undefined);
      } else message = typeof thrown === "symbol" ? "a symbol" : sliceText("" + thrown, 0, 8192);
    } catch { message = "an object that cannot be read"; }
    return '{"name":' + stringify(name) + ',"message":' + stringify(message) + ',"stack":' + stringify(stack) +
      (code === undefined ? "" : ',"code":' + stringify(code)) + "}";
  }

  async function settle(id, work) {
    let text, kind = "done";
    try { text = encoded(await work()); } catch (thrown) { kind = "fail"; text = describe(thrown); }
    post(kind, id, "", text);
  }
  function ask(kind, name, input, begun) {
    const text = encoded(input), id = ++state.last;
    const refusal = post(kind, id, name, text);
    if (refusal !== undefined) throw failure(refusal, "LIMIT");
    return new PromiseOf((resolve, reject) => {
      pending[id] = { __proto__: null, resolve, reject };
      if (begun !== undefined) begun((reason) => {
        if (pending[id] === undefined) return;
        delete pending[id];
        post("abort", id, "", "");
        reject(reason);
      });
    });
  }
  function failure(message, code) {
    const error = new ErrorOf(message);
    defineProperty(error, "code", { __proto__: null, value: code, enumerable: true });
    return error;
  }
  function subscription(name, input) {
    let opened, over = false;
    const open = () => opened ??= ask("open", name, input);
    const iterator = {
      __proto__: null,
      next: opaque(async () => {
        if (over) return { value: undefined, done: true };
        const step = await ask("next", "", await open());
        if (step.done) over = true;
        return step;
      }, "next"),
      return: opaque(async (value) => {
        if (!over && opened !== undefined) { over = true; await ask("return", "", await opened); }
        over = true;
        return { value, done: true };
      }, "return"),
    };
    defineProperty(iterator, asyncIterator, { __proto__: null, value: opaque(() => iterator, "[Symbol.asyncIterator]") });
    return freeze(iterator);
  }

  const env = create(null);
  for (let at = 0; at < granted.length; at++) {
    const { name, type } = granted[at], cut = indexOf(name, "/");
    const door = type === "subscription" ? (input = null) => subscription(name, input) : (input = null) => ask("call", name, input);
    const shown = opaque(door, name);
    env[name] = shown;
    if (cut > 0) (env[sliceText(name, 0, cut)] ??= create(null))[sliceText(name, cut + 1)] = shown;
  }
  for (const name of keys(env)) freeze(env[name]);

  const install = (name, value) =>
    defineProperty(globalThis, name, { __proto__: null, value: typeof value === "object" ? freeze(value) : opaque(value, name), writable: false, configurable: false, enumerable: false });
  function line(values) {
    let text = "";
    for (let at = 0; at < values.length; at++) {
      const value = values[at];
      let part;
      try {
        part = typeof value === "string" ? value : typeof value === "object" && isError(value)
          ? textOf(value, "name", "Error") + ": " + textOf(value, "message", "")
          : typeof value === "object" && value !== null ? stringify(value) ?? "undefined"
          : typeof value === "function" ? "[function]" : StringOf(value);
      } catch { part = "[object]"; }
      text += (at === 0 ? "" : " ") + sliceText(part, 0, 65536);
      if (text.length > 65536) break;
    }
    return sliceText(text, 0, 65536);
  }
  const log = (level) => opaque((...values) => { post("log", 0, level, line(values)); }, level);
  install("console", { __proto__: null, debug: log("debug"), log: log("info"), info: log("info"), warn: log("warning"), error: log("error") });
  install("env", env);
  install("setTimeout", (callback, delay = 0, ...args) => {
    if (typeof callback !== "function") throw new TypeErrorOf("setTimeout needs a function");
    const id = ++state.last, refusal = post("timer", id, "", "" + (delay >= 1 ? +delay : 1));
    if (refusal !== undefined) throw failure(refusal, "LIMIT");
    timers[id] = () => callback(...args);
    return id;
  });
  install("clearTimeout", (id) => { if (typeof id === "number" && timers[id] !== undefined) { delete timers[id]; post("clear", id, "", ""); } });
  install("structuredClone", (value) => {
    const copy = (of, depth) => {
      if (typeof of !== "object" || of === null) { if (typeof of === "function" || typeof of === "symbol") throw new TypeErrorOf("it cannot be cloned"); return of; }
      if (depth > 64) throw new RangeErrorOf("it is too deep to be cloned");
      if (kindOf(of) === "Uint8Array") return new U8(of);
      const made = isArray(of) ? [] : {}, names = keys(of);
      for (let at = 0; at < names.length; at++) defineProperty(made, names[at], { __proto__: null, value: copy(of[names[at]], depth + 1), writable: true, enumerable: true, configurable: true });
      return made;
    };
    return copy(value, 0);
  });
  install("ops", {
    __proto__: null,
    register: opaque((operation) => {
      const { name, handler, type = "query" } = operation;
      if (typeof handler !== "function") throw new TypeErrorOf("ops.register needs a handler");
      const { input = true, output = true, description = "" } = operation;
      const refusal = post("register", 0, StringOf(name), encoded({ name, type, input, output, description }));
      if (refusal !== undefined) throw failure(refusal, "REFUSED");
      handlers[name] = handler;
    }, "register"),
  });
  extend({ __proto__: null, ask, opaque, failure, install, freeze, create, keys, hasOwn, uncurry, isArray, parse, bufferOf, kindOf, textOfBytes, bytesOfText }, doors);
  delete globalThis.SharedArrayBuffer;
  const start = clock();
  defineProperty(globalThis, "performance", { __proto__: null, value: freeze({ __proto__: null, now: opaque(() => clock() - start, "now") }) });

  return freeze({
    __proto__: null,
    describe,
    finish: (id, value, show) => { settle(id, show === undefined ? () => value : async () => show(await value)); },
    finishModule: (id, module) => {
      settle(id, async () => {
        const exports = await module;
        const main = hasOwn(exports, "default") ? exports.default : undefined;
        return typeof main === "function" ? await main() : main;
      });
    },
    invoke: (id, name, text) => { settle(id, () => handlers[name](decoded(text))); },
    open: (id, name, text) => {
      settle(id, () => {
        const made = handlers[name](decoded(text));
        iterators[id] = typeof made.next === "function" ? made : made[asyncIterator]();
        return null;
      });
    },
    next: (id, at) => {
      settle(id, async () => {
        const step = await iterators[at].next();
        if (step.done) delete iterators[at];
        return { done: !!step.done, value: step.done ? null : step.value };
      });
    },
    close: (id, at) => {
      settle(id, async () => {
        const iterator = iterators[at];
        delete iterators[at];
        if (iterator !== undefined && typeof iterator.return === "function") await iterator.return();
        return null;
      });
    },
    deliver: (id, ok, text) => {
      const entry = pending[id];
      if (entry === undefined) return;
      delete pending[id];
      if (ok) return entry.resolve(decoded(text));
      const { message, code } = parse(text);
      entry.reject(failure(message, code));
    },
    fire: (id) => {
      const callback = timers[id];
      delete timers[id];
      if (callback !== undefined) callback();
    },
  });
})`;
