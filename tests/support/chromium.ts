/**
 * A headless Chromium, driven over the DevTools protocol: pages are opened, asked, clicked and typed into.
 *
 * @module
 */
import { join } from "node:path";
import { start } from "./process.ts";
import { findProgram } from "./programs.ts";
import { temporaryFolder } from "./temp.ts";

/** How long a page may take for what a test waits for, in milliseconds. A guard against hanging, not a measurement. */
const DEADLINE = 30_000;

/** A browser, with one page at a time. */
export interface Browser extends AsyncDisposable {
  /** Opens a page in a tab of its own. */
  open(url: string): Promise<Page>;
}

/** Starts one. Certificates are not checked. */
export async function startBrowser(): Promise<Browser> {
  const folder = await temporaryFolder();
  const child = start(findProgram("chromium")!, [
    ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"],
    ...["--ignore-certificate-errors", `--user-data-dir=${folder.path}`, "--remote-debugging-port=0", "about:blank"],
  ]);
  const [port, path] = (await fileOf(join(folder.path, "DevToolsActivePort"))).split("\n");
  const wire = await connect(`ws://127.0.0.1:${port}${path}`);
  return {
    async open(url) {
      const { targetId } = await wire.ask("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await wire.ask("Target.attachToTarget", { targetId, flatten: true });
      const page = new Page(wire, String(sessionId));
      for (const domain of ["Page", "Runtime", "Log"]) await page.send(`${domain}.enable`);
      await page.go(url);
      return page;
    },
    async [Symbol.asyncDispose]() {
      await wire.close();
      await child[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A page in a tab. */
export class Page {
  /** What the browser complained of, other than answers that are errors: exceptions, violated policies. */
  readonly complaints: string[] = [];
  readonly #wire: Wire;
  readonly #session: string;

  constructor(wire: Wire, session: string) {
    this.#wire = wire;
    this.#session = session;
    wire.listen(session, (method, params) => {
      const entry = params.entry as { source: string; level: string; text: string } | undefined;
      if (method === "Log.entryAdded" && entry!.source !== "network" && entry!.level === "error") {
        this.complaints.push(entry!.text);
      }
      if (method === "Runtime.exceptionThrown") this.complaints.push(JSON.stringify(params.exceptionDetails));
    });
  }

  /** Sends a command of the DevTools protocol. */
  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    return this.#wire.ask(method, params, this.#session);
  }

  /** Listens for events of the DevTools protocol. */
  on(method: string, heard: (params: Record<string, unknown>) => void): void {
    this.#wire.listen(this.#session, (name, params) => name === method && heard(params));
  }

  /** Goes to an address. */
  async go(url: string): Promise<void> {
    await this.send("Page.navigate", { url });
  }

  /** The value of an expression, or of the promise that it gives. */
  async evaluate<T = unknown>(expression: string): Promise<T> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", options) as {
      result: { value?: T };
      exceptionDetails?: { exception?: { description?: string } };
    };
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? "failed"}`);
    return result.value as T;
  }

  /** Waits until an expression is true. */
  async until(expression: string): Promise<void> {
    const since = performance.now();
    for (;;) {
      if (await this.evaluate<boolean>(`Boolean(${expression})`).catch(() => false)) return;
      if (performance.now() - since > DEADLINE) {
        const text = await this.evaluate<string>("document.body?.innerText").catch(() => "");
        throw new Error(
          `waited too long until ${expression}; the page says: ${text.slice(0, 2000)}; ${this.complaints.join("; ")}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Text of the first element that fits. */
  text(selector: string): Promise<string> {
    return this.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`);
  }

  /** Clicks the first element that fits. */
  async click(selector: string): Promise<void> {
    await this.until(`document.querySelector(${JSON.stringify(selector)})`);
    await this.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
  }

  /** Empties a control and types into it. */
  async fill(selector: string, text: string): Promise<void> {
    await this.until(`document.querySelector(${JSON.stringify(selector)})`);
    await this.evaluate(`(() => {
      const control = document.querySelector(${JSON.stringify(selector)});
      control.focus();
      control.select();
    })()`);
    await (text === "" ? this.press("Delete") : this.send("Input.insertText", { text }));
  }

  /** Presses a key. */
  async press(key: string, modifiers = 0): Promise<void> {
    const code = { Enter: 13, Escape: 27, ArrowUp: 38, ArrowDown: 40, Tab: 9, Delete: 46 }[key] ?? key.charCodeAt(0);
    const text = key === "Enter" ? "\r" : key.length === 1 ? key : undefined;
    const event = { key, code: key, windowsVirtualKeyCode: code, modifiers, text };
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }
}

/** Commands and events on one WebSocket. */
interface Wire {
  ask(method: string, params?: object, sessionId?: string): Promise<Record<string, unknown>>;
  listen(sessionId: string, heard: (method: string, params: Record<string, unknown>) => void): void;
  close(): Promise<void>;
}

async function connect(url: string): Promise<Wire> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`cannot connect to ${url}`));
  });
  let last = 0;
  const waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  const listeners: { sessionId: string; heard: Parameters<Wire["listen"]>[1] }[] = [];
  socket.onmessage = ({ data }) => {
    const { id, method, params, result, error, sessionId } = JSON.parse(data);
    if (id === undefined) {
      return listeners.filter((it) => it.sessionId === sessionId).forEach((it) => it.heard(method, params));
    }
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error) asked?.reject(new Error(error.message));
    else asked?.resolve(result);
  };
  return {
    ask(method, params = {}, sessionId) {
      const id = ++last;
      const answer = Promise.withResolvers<Record<string, unknown>>();
      waiting.set(id, answer);
      socket.send(JSON.stringify({ id, method, params, sessionId }));
      return answer.promise;
    },
    listen: (sessionId, heard) => void listeners.push({ sessionId, heard }),
    close() {
      const closed = new Promise<void>((resolve) => socket.onclose = () => resolve());
      socket.close();
      return closed;
    },
  };
}

async function fileOf(path: string): Promise<string> {
  const since = performance.now();
  for (;;) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text.includes("\n")) return text;
    if (performance.now() - since > DEADLINE) throw new Error(`Chromium does not say where it listens: no ${path}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
