/**
 * Ground of the console's script: elements made of text, requests, errors, JSON as it is shown.
 *
 * @module
 */

/** JavaScript of a browser. */
export const SCRIPT_BASE: string = String.raw`
const TOKEN_KEY = "alknet.token";
const SHOWN = 200_000;
const COLOURED = 20_000;
const $ = (id) => document.getElementById(id);

/** An element; whatever is not an element becomes text, never markup. */
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== undefined && child !== false && child !== null));
  return node;
}

/** Characters that cannot be seen, or that turn the text after them round, are shown by number. */
function visible(text, hidden = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g) {
  return String(text).replace(hidden, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** JSON for people; the escapes are JSON still. */
function pretty(value, indent = 2) {
  const text = JSON.stringify(value, null, indent) ?? "null";
  return visible(text, /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g);
}

function jsonBlock(value) {
  const text = pretty(value);
  const block = el("pre", { tabindex: "0", "aria-label": "JSON" });
  if (text.length > COLOURED) block.append(text.slice(0, SHOWN));
  else {
    let at = 0;
    for (const found of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|-?\b\d[\d.eE+-]*|\b(?:true|false|null)\b/g)) {
      block.append(text.slice(at, found.index));
      const kind = found[2] ? "k" : found[1] ? "s" : "n";
      block.append(el("span", { class: kind }, found[1] ?? found[0]), found[2] ?? "");
      at = found.index + found[0].length;
    }
    block.append(text.slice(at));
  }
  const rest = text.length - SHOWN;
  return el("div", {}, block, rest > 0 && el("p", { class: "soft" }, rest + " more characters are not shown: copy or save them."),
    el("div", { class: "row" }, copyButton("Copy JSON", () => text),
      rest > 0 && el("button", { type: "button", class: "small", click: () => save(text) }, "Save")));
}

function copyButton(title, textOf) {
  if (!navigator.clipboard) return undefined;
  const button = el("button", { type: "button", class: "small" }, title);
  button.addEventListener("click", async () => {
    const done = await navigator.clipboard.writeText(textOf()).then(() => "Copied", () => "Cannot copy");
    button.textContent = done;
    setTimeout(() => (button.textContent = title), 1500);
  });
  return button;
}

function save(text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  el("a", { href: url, download: "output.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

let token = "";
try {
  token = sessionStorage.getItem(TOKEN_KEY) ?? "";
} catch { /* storage is switched off: the token lasts as long as the page */ }

function keepToken(value) {
  token = value;
  try {
    if (value === "") sessionStorage.removeItem(TOKEN_KEY);
    else sessionStorage.setItem(TOKEN_KEY, value);
  } catch { /* as above */ }
}

/** Why a request failed, as the node says it. */
class Failure extends Error {
  constructor(error, status = 0, response) {
    super(error.message);
    this.code = error.code;
    this.details = error.details;
    this.status = status;
    this.requestId = response?.headers.get("x-request-id") ?? undefined;
    this.wait = response?.headers.get("retry-after") ?? undefined;
    this.unknownToken = (response?.headers.get("www-authenticate") ?? "").includes("invalid_token");
  }
}

async function request(path, { body, signal, accept = "application/json", using = token } = {}) {
  const headers = { accept };
  if (using !== "") headers.authorization = "Bearer " + using;
  if (body !== undefined) headers["content-type"] = "application/json";
  const method = body === undefined ? "GET" : "POST";
  let response;
  try {
    response = await fetch(path, { method, headers, body, signal, cache: "no-store", redirect: "error" });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new Failure({ code: "UNREACHABLE", message: "The node does not answer. It may have stopped, or the way to it is cut." });
  }
  if (response.ok) return response;
  const text = await response.text().catch(() => "");
  let error;
  try {
    error = JSON.parse(text);
  } catch { /* not of the API */ }
  if (typeof error?.code !== "string") error = { code: "HTTP_" + response.status, message: "The answer is not one of the node's." };
  throw new Failure(error, response.status, response);
}

/** Calls an operation; gives its output, the id of the request and the time it took. */
async function call(operation, input, { signal, using } = {}) {
  const began = performance.now();
  const response = await request("/call", { body: JSON.stringify({ operation, input }), signal, using });
  const { output, request_id } = JSON.parse(await response.text());
  return { output, requestId: request_id, took: performance.now() - began };
}

/** The values of a subscription, as its event stream gives them. */
async function* subscribe(operation, input, signal) {
  const body = JSON.stringify({ operation, input });
  const response = await request("/subscribe", { body, signal, accept: "text/event-stream" });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      let data, kind;
      for (const line of event.split("\n")) {
        if (line.startsWith("data: ")) data = line.slice(6);
        else if (line.startsWith("event: ")) kind = line.slice(7);
      }
      if (kind === "error") throw new Failure(JSON.parse(data));
      if (data !== undefined) yield data;
    }
  }
}

/** By status, for what the protocol itself says no to; an operation's own errors speak for themselves. */
const HINTS = {
  401: "Sign in with a token whose bearer may call it.",
  403: "Your token is known, but lacks a right that the operation asks for.",
  404: "The operation is gone, or was never there for you.",
  429: "Too many wrong tokens came from your address.",
};

/** An error as it is shown: what happened, what may help, what the node said. */
function errorBlock(failure) {
  const { code, status, message, details, requestId, wait } = failure;
  const hint = status === 401 && token !== "" ? "Your token is not known to this node, or no longer." :
    code === "FORBIDDEN" || code === "NOT_FOUND" ? HINTS[status] : undefined;
  return el("div", { class: "error" },
    el("h3", {}, status ? status + " " : "", visible(code ?? "ERROR")),
    el("p", {}, visible(message)),
    hint && el("p", {}, hint),
    wait !== undefined && el("p", {}, "Try again after: " + visible(wait) + (/^\d+$/.test(wait) ? " s" : "")),
    requestId !== undefined && el("p", { class: "soft" }, "Request ", el("code", {}, visible(requestId))),
    details !== undefined && jsonBlock(details));
}
`;
