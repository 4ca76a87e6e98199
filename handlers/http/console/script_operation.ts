/**
 * One operation on the page of the console: its description, its input as form or JSON, its answer or its events.
 *
 * @module
 */

/** JavaScript of a browser. */
export const SCRIPT_OPERATION: string = String.raw`
const KEPT_EVENTS = 500;
const LONGEST_EVENT = 10_000;
/** Ends what the operation on show has running. */
let leave = () => {};

async function showOperation(name, entry) {
  leave();
  const departure = new AbortController();
  leave = () => departure.abort();
  const main = $("main");
  const heading = el("h1", { tabindex: "-1" }, el("bdi", {}, visible(name)));
  main.replaceChildren(back(), heading, el("p", { class: "soft" }, "Reading its schema…"));
  document.title = visible(name) + " · Alknet console";
  if (!document.activeElement?.closest("nav")) heading.focus({ preventScroll: true });
  let spec;
  try {
    const response = await request("/schema?name=" + encodeURIComponent(name), { signal: departure.signal });
    spec = JSON.parse(await response.text()).output;
  } catch (failure) {
    if (!departure.signal.aborted) main.replaceChildren(back(), heading, errorBlock(failure));
    return;
  }
  if (departure.signal.aborted) return;
  main.replaceChildren(back(), heading, ...describe(spec, entry), ...workbench(spec, departure.signal), ...papers(spec));
}

function back() {
  return el("a", { class: "back", href: "#/" }, "← All operations");
}

function describe(spec, entry) {
  const { required_scopes: all, required_scopes_any: any, resource_type: type, resource_action: action } = spec.access_control;
  const needs = [...all, ...(any ? ["one of " + any.join(", ")] : []),
    ...(type ? ["the resource " + type + (action ? " (" + action + ")" : "")] : [])];
  // What is said of the input stands at the input.
  const text = entry && entry.description !== spec.input_schema?.description ? entry.description : "";
  return [
    el("p", { class: "soft" }, spec.op_type, needs.length > 0 ? " · needs " + visible(needs.join(" and ")) : " · open to all"),
    text !== "" && el("p", {}, visible(text)),
  ].filter(Boolean);
}

function papers({ input_schema, output_schema, error_schemas }) {
  const paper = (title, value) => {
    const made = el("details", {}, el("summary", {}, title));
    made.addEventListener("toggle", () => made.childElementCount === 1 && made.append(jsonBlock(value)));
    return made;
  };
  return [paper("Input schema", input_schema), paper("Output schema", output_schema),
    ...(error_schemas.length > 0 ? [paper("Errors (" + error_schemas.length + ")", error_schemas)] : [])];
}

/** The input, and what comes of it. */
function workbench(spec, departed) {
  const streams = spec.op_type === "subscription";
  const result = el("section", { "aria-label": "Answer", id: "answer" });
  const said = el("p", { role: "status", class: "soft" });
  const submit = el("button", { type: "submit", class: "main" }, streams ? "Subscribe" : "Call");
  const stop = el("button", { type: "button", hidden: true }, streams ? "Stop" : "Cancel");
  const toggle = el("button", { type: "button", "aria-pressed": "false" }, "Edit as JSON");
  const place = el("div", { id: "input" });
  const formFault = el("p", { class: "fault", role: "alert" });
  let form = schemaForm(spec.input_schema, undefined);
  let text;
  place.append(form.element);
  const form_ = el("form", { submit: run, keydown: onKey, novalidate: true }, place, formFault,
    el("div", { class: "row" }, submit, stop, toggle, el("span", { class: "hint" }, "Ctrl+Enter sends")));

  toggle.addEventListener("click", () => {
    formFault.textContent = "";
    text ? toForm() : toText();
    toggle.setAttribute("aria-pressed", String(text !== undefined));
    toggle.textContent = text ? "Edit as form" : "Edit as JSON";
  });
  stop.addEventListener("click", () => running?.abort());
  let running;
  return [el("section", { "aria-label": "Call it" }, form_), said, result];

  function toText() {
    let value;
    try {
      value = form.read() ?? null;
    } catch { /* what the form holds is no value yet */ }
    const control = el("textarea", { class: "json", spellcheck: "false", autocomplete: "off" });
    control.value = value === undefined ? "" : JSON.stringify(value, null, 2);
    text = control;
    place.replaceChildren(framed({ id: "json", label: "Input as JSON", required: true }, {}, control));
    control.focus();
  }

  function toForm() {
    try {
      const value = text.value.trim() === "" ? undefined : parsedJson(text);
      const next = schemaForm(spec.input_schema, value);
      if (value !== undefined && !same(next.read() ?? null, value)) throw new Fault("The form cannot show this input.", text);
      form = next;
      text = undefined;
      place.replaceChildren(form.element);
      place.querySelector("input, select, textarea, button")?.focus();
    } catch (fault) {
      showFault(text, fault.control === text ? fault.message : "The form cannot show this input.");
    }
  }

  function onKey(event) {
    if (event.key !== "Enter" || event.isComposing) return;
    const line = event.target.tagName === "TEXTAREA" && !event.target.classList.contains("json") && !event.shiftKey;
    if (!line && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    form_.requestSubmit();
  }

  async function run(event) {
    event.preventDefault();
    if (running) return;
    formFault.textContent = "";
    let input;
    try {
      input = (text ? parsedJson(text) : form.read()) ?? null;
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      return showFault(fault.control, fault.message);
    }
    running = new AbortController();
    const signal = AbortSignal.any([running.signal, departed]);
    submit.disabled = true;
    stop.hidden = false;
    result.replaceChildren();
    said.textContent = streams ? "Waiting for the first event…" : "Running…";
    try {
      await (streams ? follow(input, signal) : once(input, signal));
    } catch (failure) {
      if (departed.aborted) return;
      if (signal.aborted) said.textContent = streams ? said.textContent + " Stopped." : "Cancelled.";
      else {
        said.textContent = "Failed.";
        result.append(errorBlock(failure));
        if (failure.code === "INVALID_INPUT") point(failure.message);
      }
    } finally {
      running = undefined;
      submit.disabled = false;
      stop.hidden = true;
    }
  }

  async function once(input, signal) {
    const { output, requestId, took } = await call(spec.name, input, { signal });
    said.textContent = "Answered in " + took.toFixed(took < 10 ? 1 : 0) + " ms.";
    result.replaceChildren(el("h2", {}, "Output"), jsonBlock(output),
      el("p", { class: "soft" }, "Request ", el("code", {}, visible(requestId))));
  }

  /** The page is drawn once a frame with what is newest, however fast events come. */
  async function follow(input, signal) {
    const list = el("ol", { class: "events mono", role: "log", "aria-live": "off", "aria-label": "Events", tabindex: "0" });
    result.replaceChildren(el("h2", {}, "Events"), list);
    let waiting = [], count = 0, due;
    const draw = () => {
      clearTimeout(due);
      due = undefined;
      const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
      list.append(...waiting.map((data) => el("li", {}, line(data))));
      waiting = [];
      while (list.childElementCount > KEPT_EVENTS) list.firstElementChild.remove();
      if (atEnd) list.scrollTop = list.scrollHeight;
      said.textContent = count + (count === 1 ? " event." : " events.") +
        (count > KEPT_EVENTS ? " The last " + KEPT_EVENTS + " are shown." : "");
    };
    try {
      for await (const data of subscribe(spec.name, input, signal)) {
        count++;
        waiting.push(data);
        if (waiting.length > KEPT_EVENTS) waiting.shift();
        due ??= setTimeout(draw, 16);
      }
    } finally {
      draw();
    }
    said.textContent += " The subscription has ended.";
  }

  /** The control that the node's words are about: they begin with the path of a value. */
  function point(message) {
    const [, path = "", missing] = /^(\/.*?|input) must (?:have "([^"]*)")?/.exec(message) ?? [];
    const at = (path === "input" ? "" : path) + (missing === undefined ? "" : "/" + missing.replaceAll("~", "~0").replaceAll("/", "~1"));
    const control = text ?? form.controls.get(at);
    if (control?.isConnected) showFault(control, visible(message));
  }
}

function line(data) {
  let shown;
  try {
    shown = pretty(JSON.parse(data), 0);
  } catch {
    shown = visible(data);
  }
  return shown.length > LONGEST_EVENT ? shown.slice(0, LONGEST_EVENT) + " … (" + shown.length + " characters)" : shown;
}

function same(a, b) {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
}
`;
