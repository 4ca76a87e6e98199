import assert from "node:assert/strict";
import { CallError, Dispatcher, nodeRegistry, operation, provide } from "@alknet/core/operations";
import { http } from "@alknet/handlers/http";
import Type from "typebox";
import { type Page, startBrowser } from "../../support/chromium.ts";
import { needs } from "../../support/programs.ts";
import { apiSuite } from "./api.ts";
import { WAYS } from "./fronts.ts";
import { testApi, testDispatcher, Tokens, Witness, WRITER } from "./operations.ts";

const PARTS = ["/", "/console.js", "/console.css"];

apiSuite("the console is off: its paths are the decoy's (http.md §3)", [{
  title: "GET /, /console.js, /console.css",
  async run({ ask }) {
    for (const path of PARTS) assert.deepEqual(await statusAndLength(ask(path)), [404, 146], path);
  },
}]);

apiSuite("the console is on (http.md §3)", [
  {
    title: "the page says what it may load, and nothing in it is inline",
    async run({ ask }) {
      const { status, headers, body } = await ask("/");
      assert.equal(status, 200);
      assert.equal(headers["content-type"], "text/html; charset=utf-8");
      const policy = headers["content-security-policy"];
      for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]) {
        assert.ok(policy.split("; ").includes(rule), rule);
      }
      assert.doesNotMatch(policy, /unsafe|\*/);
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["referrer-policy"], "no-referrer");
      assert.equal(headers["cache-control"], "no-cache");
      assert.doesNotMatch(body, /<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src="\/console\.js\?[0-9a-f]+")/);
    },
  },
  {
    title: "its parts are kept by their version, and nothing is sent twice",
    async run({ ask }) {
      const { body } = await ask("/");
      for (const [name, type] of [["console.js", "text/javascript"], ["console.css", "text/css"]]) {
        const path = new RegExp(`"(/${name.replace(".", "\\.")}\\?[0-9a-f]{16})"`).exec(body)![1];
        const part = await ask(path);
        assert.equal(part.status, 200);
        assert.equal(part.headers["content-type"], `${type}; charset=utf-8`);
        assert.equal(part.headers["cache-control"], "public, max-age=31536000, immutable");
        assert.equal((await ask(`/${name}?old`)).headers["cache-control"], "no-cache");
        const again = await ask(path, { headers: [`If-None-Match: W/"0", ${part.headers.etag}`] });
        assert.deepEqual([again.status, again.body], [304, ""]);
      }
    },
  },
  {
    title: "its parts are compressed for whoever takes gzip",
    async run({ ask }) {
      for (const [accept, encoding] of [["gzip, br", "gzip"], ["br", undefined], ["gzip;q=0", undefined]] as const) {
        const { headers } = await ask("/console.js", { method: "HEAD", headers: [`Accept-Encoding: ${accept}`] });
        assert.deepEqual([headers["content-encoding"], headers.vary], [encoding, "Accept-Encoding"], accept);
      }
    },
  },
  {
    title: "HEAD as GET; other methods 405; other spellings the decoy; the API as before",
    async run({ ask }) {
      for (const path of PARTS) {
        assert.deepEqual(await statusAndLength(ask(path, { method: "HEAD" })), [200, 0]);
        const refused = await ask(path, { method: "POST", body: {} });
        assert.deepEqual([refused.status, refused.headers.allow], [405, "GET, HEAD"]);
      }
      for (const path of ["//", "/console", "/Console.js", "/console.js/"]) {
        assert.deepEqual(await statusAndLength(ask(path)), [404, 146], path);
      }
      assert.equal((await ask("/math/add?a=2&b=3")).body, "5");
    },
  },
], () => ({ console: true }));

Deno.test("the console needs operations: without them / is the decoy's", async () => {
  const way = WAYS.find(({ name }) => name === "h2 over TLS")!;
  await using served = await way.serve(http({ console: true }));
  const client = Deno.createHttpClient(
    { unsafelyIgnoreCertificateErrors: ["127.0.0.1"] } as Deno.CreateHttpClientOptions,
  );
  try {
    const answer = await fetch(served.base, { client }).catch(() => undefined);
    if (answer) assert.equal((await answer.bytes(), answer.status), 404);
  } finally {
    client.close();
  }
});

/** A page of the console on the test's operations, checked for complaints of the browser at the end. */
function browserTest(
  name: string,
  run: (page: Page, parts: { readonly tokens: Tokens; readonly witness: Witness }) => Promise<void>,
  handlerOf = (witness: Witness) => testApi({ console: true, dispatcher: testDispatcher(witness) }),
): void {
  const way = WAYS.find(({ name }) => name === "h2 over TLS")!;
  Deno.test({
    name: `console in Chromium: ${name}`,
    ...needs("chromium"),
    async fn() {
      const tokens = new Tokens();
      const witness = new Witness();
      await using served = await way.serve(handlerOf(witness), tokens);
      await using browser = await startBrowser();
      const page = await browser.open(`${served.base}/`);
      await page.until("document.querySelector('#state').textContent === 'Connected'");
      await run(page, { tokens, witness });
      assert.deepEqual(page.complaints, []);
    },
  });
}

browserTest("finds operations by filter and keyboard, and says when there are none", async (page) => {
  await page.until("document.querySelectorAll('#list li').length > 5");
  assert.ok(
    !(await page.text("#list")).includes("notes/create"),
    "what an anonymous visitor may not call is not there",
  );
  await page.press("/");
  assert.equal(await page.evaluate("document.activeElement.id"), "filter");
  await page.send("Input.insertText", { text: "MATH query" });
  await page.until("document.querySelectorAll('#list li').length === 1");
  assert.match(await page.text("#count"), /^1 of \d+$/);
  await page.press("ArrowDown");
  await page.press("Enter");
  await page.until(
    "document.querySelector('h1')?.textContent === 'math/add' && document.querySelector('#input input')",
  );
  assert.equal(await page.text('nav a[aria-current="page"] .name'), "math/add");
  assert.match(await page.text("main"), /adds two numbers/);
  await page.fill("#filter", "no such thing");
  await page.until("document.querySelector('#list').innerText.includes('Nothing fits')");
  await page.press("Escape");
  await page.until("document.querySelectorAll('#list li').length > 5");
});

browserTest("calls through a form and through JSON, and points at what is wrong", async (page) => {
  await page.click('a[href="#/math%2Fadd"]');
  await page.fill("#input .field:nth-of-type(1) input", "2");
  await page.click("main button.main");
  await page.until("document.activeElement.getAttribute('aria-invalid') === 'true'");
  assert.match(await page.text("#input .field:nth-of-type(2) .fault"), /number is needed/);
  await page.fill("#input .field:nth-of-type(2) input", "3");
  await page.press("Enter");
  await page.until("document.querySelector('#answer pre')?.innerText === '5'");
  const labels = "[...document.querySelectorAll('#input input')].every((it) => it.labels.length === 1)";
  assert.equal(await page.evaluate(labels), true, "every control has its label");
  await page.click('button[aria-pressed="false"]');
  assert.deepEqual(JSON.parse(await page.evaluate<string>("document.querySelector('textarea.json').value")), {
    a: 2,
    b: 3,
  });
  await page.fill("textarea.json", '{"a":2,');
  await page.press("Enter", 2);
  await page.until("document.querySelector('#json-fault').textContent.includes('not JSON')");
  await page.fill("textarea.json", '{"a":"x","b":1}');
  await page.press("Enter", 2);
  await page.until("document.querySelector('.error')?.innerText.includes('422 INVALID_INPUT')");
  assert.match(await page.text(".error"), /\/a must be number, but is a string/);
  await page.click('button[aria-pressed="true"]');
  await page.until("document.querySelector('#json-fault').textContent === 'The form cannot show this input.'");
});

browserTest("a form has every kind of member, and leaves out what is left empty", async (page) => {
  await page.click('a[href="#/echo%2Ftyped"]');
  await page.until("document.querySelector('#input fieldset')");
  await page.click("main button.main");
  await page.until("document.querySelector('#answer pre')?.innerText === '{}'");
  await page.click('button[aria-pressed="false"]');
  const all = { flag: false, count: 3, nothing: null, list: [1, 2], object: { x: 1.5 }, either: null, text: "a\nb" };
  await page.fill("textarea.json", JSON.stringify(all));
  await page.click('button[aria-pressed="true"]');
  await page.until("document.querySelector('#input fieldset')");
  await page.click("main button.main");
  await page.until("document.querySelector('#answer pre')?.innerText.includes('flag')");
  assert.deepEqual(JSON.parse(await page.text("#answer pre")), all);
});

browserTest("errors are told in words: declared, internal, unknown operation", async (page) => {
  await page.click('a[href="#/errors%2Fthrow"]');
  await page.click("main button.main");
  await page.until("document.querySelector('.error')?.innerText.includes('500 INTERNAL')");
  assert.ok(!(await page.text("main")).includes("secret"));
  await page.click('a[href="#/errors%2Ffail"]');
  await page.until(
    "document.querySelector('h1').textContent === 'errors/fail' && document.querySelector('#input textarea')",
  );
  await page.fill("#input textarea", "RATE_LIMITED");
  await page.press("Enter");
  await page.until("document.querySelector('.error')?.innerText.includes('429 RATE_LIMITED')");
  assert.ok(!(await page.text(".error")).includes("wrong tokens"), "an operation's own error has no hint of ours");
  await page.evaluate("location.hash = '#/no%2Fsuch'");
  await page.until("document.querySelector('.error')?.innerText.includes('404 NOT_FOUND')");
});

browserTest(
  "a wrong token is refused and dropped; a right one shows more, in this tab alone",
  async (page, { tokens }) => {
    assert.match(await page.text("main"), /Choose an operation/);
    await page.evaluate("location.hash = '#/notes%2Fcreate'");
    await page.until("document.querySelector('.error')?.innerText.includes('401 FORBIDDEN')");
    await page.click("#account");
    assert.equal(await page.evaluate("document.activeElement.id"), "token");
    await page.fill("#token", "two words");
    await page.press("Enter");
    await page.until("document.querySelector('#token-fault').textContent.includes('one word')");
    await page.fill("#token", WRITER);
    await page.press("Enter");
    await page.until(
      "!document.querySelector('#sign').open && document.querySelector('#list').innerText.includes('notes/create')",
    );
    await page.until("document.querySelector('#input textarea')");
    await page.fill("#input textarea", "abc");
    await page.press("Enter");
    await page.until("document.querySelector('#answer pre')?.innerText.includes('n-3')");
    const kept = "[Object.values(sessionStorage), Object.keys(localStorage), document.cookie, location.href]";
    const [session, local, cookie, href] = await page.evaluate<[string[], string[], string, string]>(kept);
    assert.deepEqual([session, local, cookie], [[WRITER], [], ""]);
    assert.ok(!href.includes(WRITER));
    tokens.revoked.add(WRITER);
    await page.click("main button.main");
    await page.until("document.querySelector('.error')?.innerText.includes('not known to this node')");
    await page.click("#account");
    await page.until("sessionStorage.length === 0 && document.querySelector('#account').textContent === 'Sign in'");
  },
);

browserTest("follows a subscription as it comes, stops it, and leaves it with the page", async (page, { witness }) => {
  await page.click('a[href="#/stream%2Fcount"]');
  await page.fill("#input input", "1200");
  await page.click("main button.main");
  await page.until(
    "document.querySelector('main [role=status]').textContent.startsWith('1200 events. The last 500 are shown.')",
  );
  await page.until("document.querySelector('main [role=status]').textContent.endsWith('has ended.')");
  const events = await page.evaluate<string[]>(
    "[...document.querySelectorAll('.events li')].map((it) => it.textContent)",
  );
  assert.deepEqual([events.length, events[0], events.at(-1)], [500, '{"n":701}', '{"n":1200}']);
  await page.click('a[href="#/stream%2Fsteps"]');
  await page.until(
    "document.querySelector('h1').textContent === 'stream/steps' && document.querySelector('main button.main')",
  );
  await page.click("main button.main");
  await page.until("!document.querySelector('form button[type=button]').hidden");
  await page.click("form button[type=button]");
  await page.until(
    "document.querySelector('main [role=status]').textContent.includes('Stopped') && !document.querySelector('main button.main').disabled",
  );
  await page.click('a[href="#/stream%2Flost"]');
  await page.until(
    "document.querySelector('h1').textContent === 'stream/lost' && document.querySelector('main button.main')",
  );
  await page.click("main button.main");
  await page.until("document.querySelector('.error')?.innerText.includes('SOURCE_LOST')");
  void witness;
});

const EVIL = `<img src=x onerror="globalThis.hacked=1">\u202e<script>hacked=1</script>`;

browserTest("what others wrote is text, wherever it stands", async (page) => {
  assert.ok((await page.evaluate<string>("document.querySelector('#list a[href*=op]').title")).includes("<img"));
  await page.click('a[href="#/evil/op"], a[href="#/evil%2Fop"]');
  await page.until("document.querySelector('#input .field')");
  const shown = await page.text("main");
  assert.ok(shown.includes(`<img src=x onerror=`) && shown.includes("\\u202e") && !shown.includes("\u202e"));
  await page.click("main button.main");
  await page.until("document.querySelector('#answer pre')?.innerText.includes('<script>')");
  await page.evaluate("location.hash = '#/evil%2Ffail'");
  await page.until(
    "document.querySelector('h1').textContent === 'evil/fail' && document.querySelector('main button.main')",
  );
  await page.click("main button.main");
  await page.until("document.querySelector('.error')?.innerText.includes('<img')");
  assert.equal(await page.evaluate("document.querySelectorAll('img, main script, nav script').length"), 0);
  assert.equal(await page.evaluate("globalThis.hacked"), undefined);
}, () => {
  const strange = Type.Object({
    [EVIL]: Type.Optional(Type.String({ description: EVIL, default: EVIL })),
    ["__proto__"]: Type.Optional(Type.String()),
    choice: Type.Optional(Type.Enum([EVIL, "b"])),
  }, { title: EVIL });
  const op = operation({ name: "evil/op", type: "query", description: EVIL, input: strange, output: Type.Unknown() });
  const fail = operation({ name: "evil/fail", type: "query", input: Type.Unknown(), output: Type.Unknown() });
  const registry = nodeRegistry([
    provide(op, () => ({ [EVIL]: [EVIL] })),
    provide(fail, () => {
      throw new CallError("EVIL", EVIL, { details: { [EVIL]: EVIL } });
    }),
  ]);
  return http({ console: true, dispatcher: new Dispatcher({ registry }) });
});

browserTest(
  "with no operation for the visitor, it says so and offers to sign in; on a small screen it has one column",
  async (page) => {
    await page.send("Fetch.enable", { patterns: [{ urlPattern: "*/search" }] });
    page.on("Fetch.requestPaused", ({ requestId }) => {
      const body = btoa(JSON.stringify({ request_id: "1", result: "ok", output: { operations: [] } }));
      page.send("Fetch.fulfillRequest", { requestId, responseCode: 200, body });
    });
    await page.send("Emulation.setDeviceMetricsOverride", {
      width: 360,
      height: 640,
      deviceScaleFactor: 1,
      mobile: true,
    });
    await page.send("Page.reload");
    await page.until("document.querySelector('#list')?.innerText.includes('No operation is open to all')");
    await page.evaluate("location.hash = '#/math%2Fadd'");
    await page.until("document.querySelector('#input input')");
    const wide = "document.documentElement.scrollWidth > innerWidth";
    assert.equal(await page.evaluate(wide), false);
    assert.equal(await page.evaluate("getComputedStyle(document.querySelector('nav')).display"), "none");
    await page.click(".back");
    await page.until("getComputedStyle(document.querySelector('nav')).display !== 'none'");
  },
);

async function statusAndLength(asked: Promise<{ readonly status: number; readonly body: string }>): Promise<number[]> {
  const { status, body } = await asked;
  return [status, new TextEncoder().encode(body).byteLength];
}
