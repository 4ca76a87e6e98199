/**
 * What a guest's value looks like, told within the guest and under its limits: no getter of it runs, and what it cannot
 * cross as it is crosses as a text.
 *
 * @module
 */

/** A function of the guest: a value's text, or nothing for `undefined`. */
export const INSPECTOR: string = String.raw`(function () {
  "use strict";
  const { getOwnPropertyDescriptor, getPrototypeOf, keys } = Object, { isArray } = Array, { stringify } = JSON;
  const MOST = 100, DEEPEST = 4, LONGEST = 100000;
  let left = LONGEST;
  const nameOf = (object) => {
    const proto = getPrototypeOf(object);
    if (proto === null || proto === Object.prototype) return "";
    const maker = getOwnPropertyDescriptor(proto, "constructor");
    const name = maker && typeof maker.value === "function" ? getOwnPropertyDescriptor(maker.value, "name") : undefined;
    return name && typeof name.value === "string" ? name.value : "";
  };
  const keyOf = (key) => /^[A-Za-z_$][\w$]*$/.test(key) ? key : stringify(key);
  const size = (of, key) => getOwnPropertyDescriptor(of.prototype, key).get;
  function listed(open, parts, close) {
    if (parts.length === 0) return open + close;
    const one = open + " " + parts.join(", ") + " " + close;
    if (one.length <= 76 && one.indexOf("\n") < 0) return one;
    if (parts.every((part) => part.length <= 16 && part.indexOf("\n") < 0)) {
      let rows = "", row = "";
      for (let at = 0; at < parts.length; at++) {
        const part = parts[at] + (at < parts.length - 1 ? "," : "");
        if (row.length + part.length > 74) { rows += "\n  " + row; row = ""; }
        row += (row === "" ? "" : " ") + part;
      }
      return open + rows + "\n  " + row + "\n" + close;
    }
    return open + "\n" + parts.map((part) => "  " + part.split("\n").join("\n  ")).join(",\n") + "\n" + close;
  }
  function textOf(value, depth, above) {
    if (left < 0) return "…";
    const text = told(value, depth, above);
    left -= depth === 0 ? 0 : 4;
    return text;
  }
  function told(value, depth, above) {
    if (typeof value === "string") { left -= value.length; return stringify(value); }
    if (typeof value === "bigint") return value + "n";
    if (typeof value === "symbol") return String(value);
    if (typeof value === "number") return value === 0 && 1 / value < 0 ? "-0" : String(value);
    if (value === null || typeof value !== "object" && typeof value !== "function") return String(value);
    if (typeof value === "function") {
      const name = getOwnPropertyDescriptor(value, "name");
      return "[function" + (name && typeof name.value === "string" && name.value !== "" ? " " + name.value : "") + "]";
    }
    if (value instanceof Error) {
      const stack = getOwnPropertyDescriptor(value, "stack"), message = getOwnPropertyDescriptor(value, "message");
      const said = message && "value" in message ? String(message.value) : "";
      return "[" + (nameOf(value) || "Error") + ": " + said + "]" + (stack && typeof stack.value === "string" && depth === 0 ? "\n" + stack.value.trimEnd() : "");
    }
    if (above.includes(value)) return "[circular]";
    if (depth > DEEPEST) return isArray(value) ? "[array]" : "[object]";
    const inner = [...above, value], below = (one) => textOf(one, depth + 1, inner);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof RegExp) return RegExp.prototype.toString.call(value);
    if (value instanceof Promise) return "Promise {}";
    const more = (count) => count > MOST ? ["… " + (count - MOST) + " more"] : [];
    if (value instanceof Map) {
      const parts = [];
      for (const [key, one] of Map.prototype.entries.call(value)) { if (parts.length === MOST) break; parts.push(below(key) + " => " + below(one)); }
      return listed("Map {", [...parts, ...more(size(Map, "size").call(value))], "}");
    }
    if (value instanceof Set) {
      const parts = [];
      for (const one of Set.prototype.values.call(value)) { if (parts.length === MOST) break; parts.push(below(one)); }
      return listed("Set {", [...parts, ...more(size(Set, "size").call(value))], "}");
    }
    const member = (key) => {
      const own = getOwnPropertyDescriptor(value, key);
      return own === undefined ? "" : "value" in own ? below(own.value) : own.get ? "[getter]" : "[setter]";
    };
    if (isArray(value) || ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      const parts = [];
      for (let at = 0; at < value.length && at < MOST; at++) parts.push(at in value ? member(at) : "(empty)");
      return listed((isArray(value) ? "" : nameOf(value) + "(" + value.length + ") ") + "[", [...parts, ...more(value.length)], "]");
    }
    const names = keys(value), name = nameOf(value);
    const parts = names.slice(0, MOST).map((key) => keyOf(key) + ": " + member(key));
    return listed((name === "" ? "" : name + " ") + "{", [...parts, ...more(names.length)], "}");
  }
  return (value) => value === undefined ? undefined : textOf(value, 0, []).slice(0, LONGEST);
})()`;
