import assert from "node:assert/strict";
import type { HttpOptions } from "@alknet/handlers/http";
import { needs } from "../../support/programs.ts";
import { type ApiCase, apiSuite, assertError, END } from "./api.ts";
import { type Served, type Way, WAYS } from "./fronts.ts";
import { NOBODY, testApi, TestClock, testDispatcher, Tokens, Witness, WRITER } from "./operations.ts";
import { until } from "./support.ts";

const CASES: ApiCase[] = [
  {
    title: "1 000 values in order, then the end (http.md §15 row 44, X7)",
    async run({ ask }) {
      const { status, headers, body } = await ask("/subscribe", {
        body: { operation: "/stream/count", input: { to: 1000 } },
      });
      assert.deepEqual([status, headers["content-type"]], [200, "text/event-stream"]);
      assert.deepEqual([headers["cache-control"], headers["x-accel-buffering"]], ["no-store", "no"]);
      assert.equal(body, Array.from({ length: 1000 }, (_, i) => `data: {"n":${i + 1}}\n\n`).join(""));
    },
  },
  {
    title: "values with line breaks, U+2028 and emoji are one line (http.md §15 row 45)",
    async run({ ask }) {
      const values = ["a\nb\r\nc\rd", "\u2028\u2029", "🙂\ud83d", { "k\n": ["\u0000"] }];
      const { body } = await ask("/subscribe", { body: { operation: "stream/say", input: values } });
      const events = body.split("\n\n").slice(0, -1);
      assert.deepEqual(events.map((event) => JSON.parse(event.replace(/^data: /, ""))), values);
      for (const event of events) assert.doesNotMatch(event, /[\r\n]/);
    },
  },
  {
    title: "a subscription without values (http.md §15 row 46)",
    async run({ ask }) {
      const { status, body } = await ask("/subscribe", { body: { operation: "stream/say", input: [] } });
      assert.deepEqual([status, body], [200, ""]);
    },
  },
  {
    title: "a subscription that fails half-way (http.md §15 row 47, X8)",
    async run({ ask }) {
      const { body } = await ask("/subscribe", { body: { operation: "stream/lost", input: {} } });
      const error = '{"code":"SOURCE_LOST","message":"upstream gone","retryable":true,"details":{"after":1}}';
      assert.equal(body, `data: {"n":1}\n\nevent: error\ndata: ${error}\n\n`);
    },
  },
  {
    title: "what fails before the stream has a status (http.md §15 row 48)",
    async run({ ask }) {
      const subscribe = (operation: string, input: unknown = {}, token?: string) =>
        ask("/subscribe", { body: { operation, input }, token });
      assertError(await subscribe("stream/nosuch"), 404, "NOT_FOUND");
      assertError(await subscribe("notes/reindex"), 404, "NOT_FOUND");
      assertError(await subscribe("log/follow"), 401, "FORBIDDEN");
      assertError(await subscribe("log/follow", {}, NOBODY), 403, "FORBIDDEN");
      assertError(await subscribe("stream/count", { to: "x" }), 422, "INVALID_INPUT");
      assertError(await subscribe("math/add", { a: 1, b: 2 }), 400, "INVALID_OPERATION_TYPE");
      assert.equal(
        (await subscribe("log/follow", {}, WRITER)).body,
        'data: {"line":"start"}\n\ndata: {"line":"ready"}\n\n',
      );
      const picky = { body: { operation: "stream/count", input: { to: 1 } }, headers: ["Accept: text/html, */*;q=0"] };
      assertError(await ask("/subscribe", picky), 406, "INVALID_INPUT");
      assertError(await ask("/subscribe", { body: "{" }), 400, "INVALID_INPUT");
    },
  },
  {
    title:
      "GET /subscribe does as POST, and says its end, after which a reader that comes back is sent away (http.md §15 row 52)",
    async run({ ask }) {
      const query = new URLSearchParams({ operation: "stream/count", input: '{"to":2}' });
      const { status, body } = await ask(`/subscribe?${query}`);
      assert.deepEqual([status, body], [200, `data: {"n":1}\n\ndata: {"n":2}\n\n${END}`]);
      const over = await ask(`/subscribe?${query}`, { headers: ["Last-Event-ID: end"] });
      assert.deepEqual([over.status, over.body], [204, ""]);
      assertError(await ask("/subscribe"), 422, "INVALID_INPUT");
      assertError(await ask("/subscribe?operation=stream/count&input=%7B"), 400, "INVALID_INPUT");
    },
  },
];

apiSuite("subscriptions", CASES);

/** Options that let a client's leaving be noticed at once over TLS, where the end of its output is all that is seen. */
const QUICK: HttpOptions = { limits: { halfClosed: 1 } };

interface Staged {
  readonly witness: Witness;
  readonly clock: TestClock;
  /** Starts curl; its output as it comes. */
  curl(target: string, body?: unknown): Download;
}

/** `departs`: only TLS tells the node that a killed curl has gone; the port in front of a stream cannot. */
const STAGED: {
  readonly title: string;
  readonly ownClock?: boolean;
  readonly departs?: boolean;
  run(staged: Staged): Promise<void>;
}[] = [
  {
    title: "each value arrives before the next is produced (http.md §15 row 44)",
    async run({ curl, witness }) {
      await using download = curl("/subscribe", { operation: "stream/steps", input: {} });
      for (let n = 1; n <= 3; n++) {
        await download.until(`data: ${n}\n\n`);
        assert.doesNotMatch(download.text, new RegExp(`data: ${n + 1}`));
        witness.step();
      }
      await download.ended;
    },
  },
  {
    title: "silence is filled with comments, and not cut at 30 s (http.md §15 row 51)",
    departs: true,
    ownClock: true,
    async run({ curl, witness, clock }) {
      await using download = curl("/subscribe", { operation: "stream/silent" });
      await witness.until("silent started");
      for (let i = 1; i <= 3; i++) {
        clock.advance(15_000);
        await until(() => download.text.split(": keep-alive\n\n").length === i + 1, `comment ${i} is there`);
      }
      assert.equal(witness.events.includes("silent aborted"), false);
      await download.leave();
      await witness.until("silent returned");
      assert.equal(clock.timers, 0, "no timer is left");
    },
  },
  {
    title: "a client that leaves a subscription aborts it (http.md §15 row 49)",
    departs: true,
    async run({ curl, witness }) {
      await using download = curl("/subscribe", { operation: "stream/silent" });
      await witness.until("silent started");
      await download.leave();
      await witness.until("silent aborted");
      await witness.until("silent returned");
    },
  },
  {
    title: "a client that leaves a call aborts it and what it composed (http.md §15 row 43)",
    departs: true,
    async run({ curl, witness }) {
      await using download = curl("/call", { operation: "hang/query" });
      await Promise.all([witness.until("query started"), witness.until("child started")]);
      await download.leave();
      await Promise.all([witness.until("query aborted"), witness.until("child aborted")]);
    },
  },
  {
    title: "a client that stops reading holds an endless producer back (http.md §15 row 50)",
    departs: true,
    async run({ curl, witness }) {
      await using download = curl("/subscribe", { operation: "stream/endless" });
      await download.until("data:");
      download.pause();
      // Held back means: whatever buffers there are on the way, the count comes to rest.
      let seen = -1;
      await until(() => {
        const rests = witness.produced === seen;
        seen = witness.produced;
        return rests && resting++ > 40;
      }, "the producer is held back");
      assert.ok(witness.produced < 20_000, `${witness.produced} values of 10 KB were produced`);
      await download.leave();
      await witness.until("endless returned");
    },
  },
  {
    title: "a handler that takes longer than 30 s is TIMEOUT (http.md §15 row 36)",
    ownClock: true,
    async run({ curl, witness, clock }) {
      await using download = curl("/call", { operation: "hang/query" });
      await Promise.all([witness.until("query started"), witness.until("child started")]);
      clock.advance(29_999);
      assert.equal(witness.events.includes("query aborted"), false);
      clock.advance(1);
      await download.ended;
      assert.match(download.text, /^HTTP\/[\d.]+ 504/);
      assert.match(download.text, /"code":"TIMEOUT".*"retryable":true/);
    },
  },
];
let resting = 0;

for (const way of WAYS) {
  for (const { title, ownClock, departs, run } of STAGED) {
    if (departs && way.alpn === "alknet/http") continue;
    Deno.test({
      name: `${way.name}: ${title}`,
      ...needs("curl"),
      async fn() {
        const witness = new Witness();
        const clock = new TestClock();
        resting = 0;
        const handler = testApi({ ...QUICK, dispatcher: testDispatcher(witness, ownClock ? clock : undefined) });
        await using served = await way.serve(handler, new Tokens());
        await run({ witness, clock, curl: (target, body) => new Download(way, served, target, body) });
      },
    });
  }
}

/** curl, whose output is looked at while it comes. */
class Download {
  /** Head and body, as far as they have come. */
  text = "";
  /** When the output ends. */
  readonly ended: Promise<void>;
  readonly #child: Deno.ChildProcess;
  #paused = false;
  #resume = () => {};

  constructor({ curl }: Way, { base }: Served, target: string, body?: unknown) {
    const data = ["--data-binary", JSON.stringify(body), "--header", "Content-Type: application/json"];
    const args = [...curl, "--silent", "--include", "--no-buffer", ...data, base + target];
    this.#child = new Deno.Command("curl", { args, stdin: "null", stdout: "piped", stderr: "null" }).spawn();
    this.ended = this.#read();
  }

  async until(text: string): Promise<void> {
    await until(() => this.text.includes(text), `${JSON.stringify(text)} arrives`);
  }

  pause(): void {
    this.#paused = true;
  }

  async leave(): Promise<void> {
    this.#child.kill("SIGKILL");
    this.#paused = false;
    this.#resume();
    await this.#child.status;
    await this.ended;
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.text += text;
      if (this.#paused) await new Promise<void>((resolve) => this.#resume = resolve);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // Over.
    }
    await this.leave().catch(() => this.#child.status);
  }
}
