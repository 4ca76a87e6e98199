/**
 * The console's page around an operation: the list, the node's state, signing in, and which view is on show.
 *
 * @module
 */

/** JavaScript of a browser. */
export const SCRIPT_PAGE: string = String.raw`
const PAGE_SIZE = 300;
const POLL = 5000;
let operations = [];
let listFailure;
let shownMost = PAGE_SIZE;
/** What the node says of itself, its counters, and why there are none. */
const node = { info: undefined, stats: undefined, refusal: undefined };

async function loadOperations() {
  listFailure = undefined;
  $("list").setAttribute("aria-busy", "true");
  try {
    const response = await request("/search");
    operations = JSON.parse(await response.text()).output.operations;
  } catch (failure) {
    operations = [];
    listFailure = failure;
  }
  $("list").removeAttribute("aria-busy");
  drawList();
}

function drawList() {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = operations.filter(({ name, description, op_type }) => {
    const text = (name + " " + description + " " + op_type).toLowerCase();
    return words.every((word) => text.includes(word));
  });
  $("count").textContent = words.length > 0 ? found.length + " of " + operations.length : String(operations.length);
  if (listFailure) return $("list").replaceChildren(el("div", { class: "note" }, errorBlock(listFailure),
    el("button", { type: "button", click: start }, "Try again")));
  if (found.length === 0) {
    const text = operations.length > 0 ? "Nothing fits. " : token === ""
      ? "No operation is open to all. Sign in to see those that a token may call."
      : "Your token may call no operation.";
    const clear = el("button", { type: "button", class: "small", click: () => clearFilter() }, "Clear the filter");
    return $("list").replaceChildren(el("p", { class: "note" }, text, operations.length > 0 && clear));
  }
  const current = route();
  const groups = new Map();
  for (const operation of found.slice(0, shownMost)) {
    const link = el("a", { href: "#/" + encodeURIComponent(operation.name),
      "aria-current": operation.name === current ? "page" : undefined, title: visible(operation.description) },
      el("span", { class: "name" }, visible(operation.name)), el("span", { class: "kind" }, operation.op_type));
    if (!groups.has(operation.namespace)) groups.set(operation.namespace, []);
    groups.get(operation.namespace).push(el("li", {}, link));
  }
  const rest = found.length - shownMost;
  $("list").replaceChildren(
    ...[...groups].flatMap(([name, items]) => [el("h2", {}, el("bdi", {}, visible(name))), el("ul", {}, ...items)]),
    ...(rest > 0 ? [el("p", { class: "note" }, el("button", { type: "button", click: showMore }, "Show " + Math.min(rest, PAGE_SIZE) +
      " more of " + rest))] : []));
}

function showMore() {
  const at = shownMost;
  shownMost += PAGE_SIZE;
  drawList();
  $("list").querySelectorAll("li a")[at]?.focus();
}

function clearFilter() {
  $("filter").value = "";
  shownMost = PAGE_SIZE;
  drawList();
  $("filter").focus();
}

/** The name in the address, or nothing on the front page. */
function route() {
  try {
    return location.hash.startsWith("#/") ? decodeURIComponent(location.hash.slice(2)) : "";
  } catch {
    return "";
  }
}

function show() {
  if (location.hash === "#main") return;
  const name = route();
  document.body.classList.toggle("detail", name !== "");
  for (const link of $("list").querySelectorAll("a[aria-current]")) link.removeAttribute("aria-current");
  const link = [...$("list").querySelectorAll("li a")].find(({ hash }) => hash === location.hash);
  link?.setAttribute("aria-current", "page");
  link?.scrollIntoView({ block: "nearest" });
  if (name === "") return showNode();
  showOperation(name, operations.find((operation) => operation.name === name));
}

function showNode() {
  leave();
  document.title = "Alknet console";
  drawNode();
}

function fact(title, ...value) {
  return value[0] === undefined ? [] : [el("dt", {}, title), el("dd", {}, ...value)];
}

function drawNode() {
  if (route() !== "") return;
  const { info } = node;
  $("main").replaceChildren(back(), el("h1", {}, "This node"),
    info ? el("dl", { class: "facts" },
      ...fact("Node id", el("code", {}, visible(info.nodeId))),
      ...fact("Fingerprint", el("code", {}, visible(info.fingerprint))),
      ...fact("Protocols", visible(info.alpns.join(", "))),
      ...fact("Transports", visible(info.transports.join(", "))),
      ...(info.version ? fact("Version", visible(info.version)) : []),
      ...(info.addresses ? fact("Addresses", visible(info.addresses.join(", "))) : []),
      ...(info.startedAt ? fact("Started", new Date(info.startedAt).toLocaleString()) : [])) :
      el("p", { class: "soft" }, "Choose an operation to see its input and to call it."),
    el("div", { id: "now" }));
  drawCounters();
}

/** What changes is drawn anew by itself, and not while someone reads it with cursor or keyboard. */
function drawCounters() {
  const now = $("now");
  const { stats, refusal } = node;
  if (!now || now.contains(document.activeElement)) return;
  if (!getSelection().isCollapsed && now.contains(getSelection().anchorNode)) return;
  now.replaceChildren(...(stats ? counters(stats) : refusal ? [el("p", { class: "soft" }, refusal)] : []));
}

function counters({ uptime, memory, accepted, refused, protocols }) {
  const number = (value) => el("td", { class: "number" }, value);
  const heads = ["Protocol", "Open", "In all", "Received", "Sent"];
  const refusals = Object.entries(refused).filter(([, count]) => count > 0).map(([why, count]) => count + " " + why).join(", ");
  return [el("section", {}, el("h2", {}, "Now"), el("dl", { class: "facts" },
    ...fact("Up for", duration(uptime)), ...fact("Memory", bytes(memory)), ...fact("Connections", accepted.toLocaleString()),
    ...(refusals ? fact("Refused", visible(refusals)) : [])),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Protocols" }, el("table", {},
      el("thead", {}, el("tr", {}, ...heads.map((head, at) => el("th", { scope: "col", class: at > 0 && "number" }, head)))),
      el("tbody", {}, ...protocols.map(({ alpn, open, total, bytesReceived, bytesSent }) =>
        el("tr", {}, el("td", {}, visible(alpn)), number(open.toLocaleString()), number(total.toLocaleString()),
          number(bytes(bytesReceived)), number(bytes(bytesSent))))))))];
}

function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  for (; count >= 1000 && at < units.length - 1; at++) count /= 1000;
  return (at > 0 && count < 100 ? count.toFixed(1) : Math.round(count)) + " " + units[at];
}

function duration(milliseconds) {
  const minutes = Math.floor(milliseconds / 60_000);
  const parts = [[Math.floor(minutes / 1440), "d"], [Math.floor(minutes / 60) % 24, "h"], [minutes % 60, "min"]];
  const said = parts.filter(([count]) => count > 0).slice(0, 2).map(([count, unit]) => count + " " + unit);
  return said.join(" ") || Math.floor(milliseconds / 1000) + " s";
}

function setState(text, kind) {
  if ($("state").textContent !== text) $("state").textContent = text;
  $("state").className = "state " + kind;
}

/** Counters where they may be read, else a sign of life that shows no token. */
async function poll() {
  if (document.visibilityState === "hidden") return;
  try {
    if (node.stats) node.stats = (await call("node/stats", null)).output;
    else await request("/healthz", { using: "", accept: "*/*" });
    setState(token === "" ? "Connected" : "Signed in", "good");
    if (node.stats) drawCounters();
  } catch (failure) {
    if (failure.status === 401 || failure.status === 429) return signOut("Your token is not known to this node any more.");
    if (failure.status === 0) setState("Unreachable", "bad");
  }
}

/**
 * Asks for the counters first: of all that a node of the command offers they alone tell a token that is nobody's from one
 * that lacks a right, and each further request with a wrong one would count against the visitor's address.
 */
async function start() {
  node.info = node.stats = node.refusal = undefined;
  let dropped;
  try {
    node.stats = (await call("node/stats", null)).output;
  } catch (failure) {
    if (token !== "" && (failure.status === 401 || failure.status === 429)) {
      keepToken("");
      dropped = failure.status === 429 ? "Too many wrong tokens came from your address; wait a minute." :
        "This token is not known to this node, or was revoked.";
    } else if (failure.status === 401) node.refusal = "Its counters are for those who sign in with a token that may read them.";
    else if (failure.status === 403) node.refusal = "Your token may not read its counters (scope node:read).";
  }
  $("account").textContent = token === "" ? "Sign in" : "Sign out";
  const info = call("node/info", null).then(({ output }) => (node.info = output), () => {});
  await Promise.all([loadOperations(), info]);
  $("node").textContent = node.info ? visible(node.info.nodeId) : "";
  if (listFailure) setState("Unreachable", "bad");
  else setState(token === "" ? "Connected" : "Signed in", "good");
  show();
  return dropped;
}

async function signOut(why = "") {
  keepToken("");
  await start();
  if (why !== "") openDialog(why);
}

function openDialog(why = "") {
  $("token").value = "";
  $("token-fault").textContent = why;
  if (!$("sign").open) $("sign").showModal();
  $("token").focus();
}

$("account").addEventListener("click", () => token === "" ? openDialog() : signOut());
$("sign-cancel").addEventListener("click", () => $("sign").close());
$("sign-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = $("token").value.trim();
  if (!/^[A-Za-z0-9._~+\/-]+=*$/.test(given)) {
    return openDialog("A token is one word of letters, digits and - . _ ~ + /");
  }
  keepToken(given);
  const dropped = await start();
  if (dropped) return openDialog(dropped);
  $("token").value = "";
  $("sign").close();
});
$("filter").addEventListener("input", () => {
  shownMost = PAGE_SIZE;
  drawList();
});
document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (key === "/" && !target.closest("input, textarea, select, dialog")) {
    event.preventDefault();
    location.hash !== "#/" && getComputedStyle(document.querySelector("nav")).display === "none" && (location.hash = "#/");
    return $("filter").focus();
  }
  if (!target.closest("nav")) return;
  if (key === "Escape" && target === $("filter")) return clearFilter();
  const links = [...$("list").querySelectorAll("li a")];
  const at = links.indexOf(target);
  if (key === "ArrowDown") (links[at + 1] ?? target).focus();
  else if (key === "ArrowUp") (at === 0 ? $("filter") : links[at - 1] ?? target).focus();
  else if (key === "Enter" && target === $("filter")) links[0]?.click();
  else return;
  event.preventDefault();
});
addEventListener("hashchange", show);
setInterval(poll, POLL);
document.addEventListener("visibilitychange", poll);
start();
`;
