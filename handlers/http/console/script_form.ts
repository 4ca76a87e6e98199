/**
 * Schemas as forms. A form shows what it can; what it cannot is asked for as JSON in its place, so that no schema, however
 * strange, is beyond it.
 *
 * @module
 */

/** JavaScript of a browser. */
export const SCRIPT_FORM: string = String.raw`
const MOST_DEPTH = 8;
const MOST_MEMBERS = 100;
let fields = 0;

/** What a person must mend before a form can be sent. */
class Fault extends Error {
  constructor(message, control) {
    super(message);
    this.control = control;
  }
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The schema that a reference leads to; "any" where it leads nowhere. */
function resolved(schema, root) {
  for (let hops = 0; hops < 16; hops++) {
    if (!isObject(schema)) return {};
    if (typeof schema.$ref !== "string") return schema;
    if (!schema.$ref.startsWith("#")) return {};
    let target = root;
    for (const part of schema.$ref.slice(1).split("/").slice(1)) {
      const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
      target = typeof target === "object" && target !== null && Object.hasOwn(target, name) ? target[name] : undefined;
    }
    schema = target;
  }
  return {};
}

function alternatives(schema) {
  const list = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(list)) return list.slice(0, MOST_MEMBERS);
  return Array.isArray(schema.type) ? schema.type.map((type) => ({ ...schema, type })) : undefined;
}

function choices(schema, root) {
  if (Array.isArray(schema.enum)) return schema.enum;
  const list = alternatives(schema)?.map((each) => resolved(each, root));
  return list?.every((each) => Object.hasOwn(each, "const")) ? list.map((each) => each.const) : undefined;
}

function fits(schema, value, root) {
  const it = resolved(schema, root);
  if (Object.hasOwn(it, "const")) return JSON.stringify(it.const) === JSON.stringify(value);
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  if (it.type !== undefined && it.type !== type && !(it.type === "integer" && Number.isInteger(value))) return false;
  if (!isObject(value) || !isObject(it.properties)) return true;
  return (it.required ?? []).every((name) => Object.hasOwn(value, name)) &&
    Object.entries(it.properties).every(([name, inner]) =>
      !Object.hasOwn(value, name) || !Object.hasOwn(Object(inner), "const") || fits(inner, value[name], root));
}

/** One part of a form. "read" gives its value, nothing where it is left out, or throws a Fault. */
function field(place, schema) {
  const it = resolved(schema, place.root);
  const own = { ...place, id: "f" + ++fields, value: place.value === undefined ? it.default : place.value };
  const made = fieldOf(own, it);
  if (made.control) place.controls.set(place.path, made.control);
  return made;
}

function fieldOf(place, it) {
  const { root, depth } = place;
  if (depth > MOST_DEPTH) return jsonField(place, it);
  const listed = choices(it, root);
  if (listed && listed.length <= MOST_MEMBERS) return choiceField(place, it, listed);
  if (Object.hasOwn(it, "const")) return choiceField(place, it, [it.const]);
  const several = alternatives(it);
  if (several) return inGroup(place, it, (inner) => unionField(inner, several));
  if (it.type === "string") return textField(place, it);
  if (it.type === "number" || it.type === "integer") return numberField(place, it);
  if (it.type === "boolean") return choiceField(place, it, [true, false]);
  if (it.type === "null") return choiceField(place, it, [null]);
  const members = isObject(it.properties) ? Object.entries(it.properties) : [];
  const open = isObject(it.additionalProperties) || isObject(it.patternProperties) || it.allOf !== undefined;
  if ((it.type === "object" || members.length > 0) && !open && members.length <= MOST_MEMBERS) {
    if (members.length > 0 || it.additionalProperties === false || place.path === "") {
      return inGroup(place, it, (inner) => objectField(inner, it, members));
    }
  }
  if (it.type === "array" && isObject(it.items)) return inGroup(place, it, (inner) => listField(inner, it));
  return jsonField(place, it);
}

/** A label, a description, a place for what is wrong, and the control between them. */
function framed({ id, label, required }, it, control) {
  const fault = el("p", { class: "fault", id: id + "-fault" });
  control.id = id;
  control.setAttribute("aria-describedby", id + "-hint " + id + "-fault");
  if (required) control.setAttribute("aria-required", "true");
  control.addEventListener("input", () => clearFault(control));
  const hint = [typeof it.description === "string" ? visible(it.description) : "", required ? "" : "optional"];
  return el("div", { class: "field" }, el("label", { for: id }, el("bdi", {}, label)), control,
    el("span", { class: "hint", id: id + "-hint" }, hint.filter(Boolean).join(" · ")), fault);
}

function showFault(control, message) {
  control.setAttribute("aria-invalid", "true");
  const fault = $(control.id + "-fault");
  if (fault) fault.textContent = message;
  control.focus();
}

function clearFault(control) {
  control.removeAttribute("aria-invalid");
  const fault = $(control.id + "-fault");
  if (fault) fault.textContent = "";
}

function textField(place, it) {
  const { value, required } = place;
  const secret = it.format === "password" || it.writeOnly === true;
  const control = el(secret ? "input" : "textarea", { autocomplete: "off", spellcheck: "false", rows: secret ? undefined : "1",
    type: secret ? "password" : undefined });
  control.value = typeof value === "string" ? value : "";
  return { element: framed(place, it, control), control,
    read: () => control.value === "" && !required ? undefined : control.value };
}

function numberField(place, it) {
  const { value, required } = place;
  const control = el("input", { inputmode: it.type === "integer" ? "numeric" : "decimal", autocomplete: "off" });
  control.value = typeof value === "number" ? String(value) : "";
  return { element: framed(place, it, control), control, read() {
    const text = control.value.trim();
    if (text === "" && !required) return undefined;
    const number = Number(text);
    if (text === "" || !Number.isFinite(number)) throw new Fault("A number is needed here.", control);
    return number;
  } };
}

function choiceField(place, it, listed) {
  const { value, required } = place;
  const control = el("select", {}, !required && el("option", { value: "" }, "—"),
    ...listed.map((each, at) => el("option", { value: at }, visible(typeof each === "string" ? each : JSON.stringify(each)))));
  const at = listed.findIndex((each) => JSON.stringify(each) === JSON.stringify(value));
  control.value = at >= 0 ? String(at) : required ? "0" : "";
  return { element: framed(place, it, control), control, read: () => control.value === "" ? undefined : listed[control.value] };
}

function jsonField(place, it) {
  const { value, required, path } = place;
  const control = el("textarea", { class: "json", spellcheck: "false", autocomplete: "off" });
  control.value = value === undefined ? (path === "" ? "null" : "") : JSON.stringify(value, null, 2);
  const made = framed(place, it, control);
  made.querySelector(".hint").append(" · as JSON");
  return { element: made, control, read() {
    if (control.value.trim() === "" && !required) return undefined;
    return parsedJson(control);
  } };
}

function parsedJson(control) {
  try {
    return JSON.parse(control.value);
  } catch (error) {
    throw new Fault("This is not JSON: " + error.message, control);
  }
}

/** A part with parts of its own; where it may be left out, a box says whether it is there. */
function inGroup(place, it, make) {
  const { path, label, required, value } = place;
  const note = typeof it.description === "string" && el("p", { class: "hint" }, visible(it.description));
  if (required) {
    const inner = make(place);
    const bare = path === "";
    const legend = el("legend", {}, el("bdi", {}, bare ? "Input" : label));
    return { ...inner, element: el("fieldset", { class: bare && "bare" }, legend, note, inner.element) };
  }
  const box = el("input", { type: "checkbox", id: place.id });
  const body = el("div");
  const element = el("fieldset", {}, el("legend", {}, box, " ", el("label", { for: place.id }, el("bdi", {}, label))), note, body);
  let inner;
  const show = () => {
    inner = box.checked ? make({ ...place, required: true }) : undefined;
    body.replaceChildren(...(inner ? [inner.element] : []));
  };
  box.checked = value !== undefined;
  box.addEventListener("change", show);
  show();
  return { element, control: box, read: () => inner?.read() };
}

function unionField(place, several) {
  const { root, value, id, controls, path } = place;
  const titleOf = (each, at) => {
    const it = resolved(each, root);
    return visible(it.title ?? (Object.hasOwn(it, "const") ? JSON.stringify(it.const) : it.type ?? "form " + (at + 1)));
  };
  const select = el("select", { id: id + "-form", "aria-label": "Form of " + (path || "the input") },
    ...several.map((each, at) => el("option", { value: at }, titleOf(each, at))));
  const body = el("div");
  let inner;
  const show = (from) => {
    const it = several[select.value];
    const nothing = resolved(it, root).type === "null";
    inner = nothing ? { read: () => null } : field({ ...place, value: from, required: true, depth: place.depth + 1 }, it);
    body.replaceChildren(...(inner.element ? [inner.element] : []));
    controls.set(path, select);
  };
  select.value = String(value === undefined ? 0 : Math.max(0, several.findIndex((each) => fits(each, value, root))));
  select.addEventListener("change", () => show(undefined));
  show(value);
  return { element: el("div", {}, select, body), control: select, read: () => inner.read() };
}

function objectField(place, it, members) {
  const { path, value, depth, root, controls } = place;
  const given = isObject(value) ? value : {};
  const wanted = new Set(Array.isArray(it.required) ? it.required : []);
  const parts = members.map(([name, inner]) => [name, field({ root, controls, depth: depth + 1,
    path: path + "/" + name.replaceAll("~", "~0").replaceAll("/", "~1"), label: visible(name), required: wanted.has(name),
    value: Object.hasOwn(given, name) ? given[name] : undefined }, inner)]);
  const empty = parts.length === 0 && el("p", { class: "soft" }, "It takes no input.");
  return { element: el("div", {}, empty, ...parts.map(([, part]) => part.element)),
    read: () => Object.fromEntries(parts.map(([name, part]) => [name, part.read()]).filter(([, read]) => read !== undefined)) };
}

function listField(place, it) {
  const { path, value, depth, root, controls } = place;
  const rows = [];
  const body = el("div");
  const add = (from) => {
    const at = rows.length;
    const part = field({ root, controls, depth: depth + 1, path: path + "/" + at, label: "item " + (at + 1), required: true,
      value: from }, it.items);
    const remove = el("button", { type: "button", class: "small", click() {
      rows.splice(rows.indexOf(row), 1);
      row.element.remove();
      more.focus();
    } }, "Remove");
    const row = { part, element: el("div", {}, part.element, remove) };
    rows.push(row);
    body.append(row.element);
    return part;
  };
  const more = el("button", { type: "button", class: "small", click: () => add(undefined).control?.focus() }, "Add an item");
  if (Array.isArray(value)) value.slice(0, MOST_MEMBERS).forEach(add);
  return { element: el("div", {}, body, more), control: more, read: () => rows.map(({ part }) => part.read()) };
}

/** A whole form for a schema. "controls" finds a control by the JSON pointer of its value. */
function schemaForm(schema, value) {
  const controls = new Map();
  const made = field({ root: schema, controls, path: "", label: "Input", required: true, depth: 0, value }, schema);
  return { ...made, controls };
}
`;
