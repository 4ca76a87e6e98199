/**
 * `fetch` of a guest: what it was granted and nothing else, in both tiers.
 *
 * @module
 */
import { selfSignedCertificate } from "@alknet/core/identity";
import { type FetchGrant, Isolate, type IsolateOptions, ProcessGuest } from "@alknet/runtime";
import assert from "node:assert/strict";
import { Fetcher } from "../../../runtime/outward/fetch/fetcher.ts";
import { isPublicAddress } from "../../../runtime/outward/fetch/addresses.ts";

const TIERS = ["isolate", "process guest"] as const;

async function guestOf(tier: typeof TIERS[number], stack: AsyncDisposableStack, options: IsolateOptions) {
  const limits = { cpu: 10_000, wall: 30_000 };
  return tier === "isolate"
    ? stack.use(await Isolate.create({ limits, ...options }))
    : stack.use(await ProcessGuest.start({ limits, ...options }));
}

interface WebServer extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  readonly seen: Request[];
}

function serve(handler: (request: Request) => Response | Promise<Response>): WebServer {
  const seen: Request[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    seen.push(request);
    return handler(request);
  });
  const { port } = server.addr;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    seen,
    [Symbol.asyncDispose]: async () => await server.shutdown(),
  };
}

/** A server that answers one connection with bytes of its own, and tells when the other side is gone. */
function raw(answer: (connection: Deno.TcpConn) => Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const gone = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const serving = (async () => {
    for await (const connection of listener) {
      reached.resolve();
      const buffer = new Uint8Array(4096);
      await connection.read(buffer);
      try {
        await answer(connection);
        while (await connection.read(buffer) !== null);
      } catch {
        // The other side has ended it.
      }
      try {
        connection.close();
      } catch {
        // The answer has closed it.
      }
      gone.resolve();
    }
  })().catch(() => {});
  return {
    origin: `http://127.0.0.1:${listener.addr.port}`,
    gone: gone.promise,
    reached: reached.promise,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

const codeOf = (call: string) => `(async () => { try { await ${call}; return "done" } catch (e) { return e.code } })()`;

for (const tier of TIERS) {
  Deno.test(`${tier}: fetch sends and receives text, JSON, bytes and headers`, async () => {
    await using stack = new AsyncDisposableStack();
    await using server = serve(async (request) => {
      const { method, headers } = request;
      const body = new Uint8Array(await request.arrayBuffer());
      if (new URL(request.url).pathname === "/bytes") return new Response(body);
      return Response.json({ method, a: headers.get("x-a"), text: new TextDecoder().decode(body) }, {
        status: 201,
        headers: { "x-b": "b", "set-cookie": "session=1" },
      });
    });
    const guest = await guestOf(tier, stack, { allowFetch: { origins: [server.origin] } });
    assert.deepEqual(
      JSON.parse(JSON.stringify(
        await guest.evaluate(`(async () => {
        const answer = await fetch("${server.origin}/a?b#c", { method: "post", headers: { "X-A": "ä" }, body: "täxt" });
        const { status, ok, url, redirected, headers } = answer;
        return [status, ok, url, redirected, headers.get("X-B"), headers.has("set-cookie"), await answer.json()];
      })()`),
      )),
      [201, true, `${server.origin}/a?b`, false, "b", false, { method: "POST", a: "ä", text: "täxt" }],
    );
    const bytes = await guest.evaluate(`(async () => {
      const body = Uint8Array.from({ length: 200000 }, (_, at) => at % 251);
      return await (await fetch("${server.origin}/bytes", { method: "PUT", body })).bytes();
    })()`);
    assert.deepEqual(bytes, Uint8Array.from({ length: 200_000 }, (_, at) => at % 251));
    assert.equal(server.seen[0].headers.get("cookie"), null);
  });

  Deno.test(`${tier}: without the grant there is no fetch and no fs (runtime.md row 57)`, async () => {
    await using stack = new AsyncDisposableStack();
    const guest = await guestOf(tier, stack, {});
    assert.deepEqual(await guest.evaluate("[typeof fetch, typeof fs, typeof gpu]"), Array(3).fill("undefined"));
  });

  Deno.test(`${tier}: fetch reaches no origin but those granted, no address by another spelling (runtime.md row 58)`, async () => {
    await using stack = new AsyncDisposableStack();
    await using server = serve(() => new Response("reached"));
    const guest = await guestOf(tier, stack, { allowFetch: { origins: ["https://granted.example"] } });
    const hosts = ["127.0.0.1", "[::1]", "169.254.169.254", "0.0.0.0", "10.0.0.1", "2130706433", "0177.0.0.1", "127.1"];
    for (const host of [...hosts, "0x7f.1", "[::ffff:127.0.0.1]", "localhost", Deno.hostname(), "granted.example"]) {
      assert.equal(await guest.evaluate(codeOf(`fetch("http://${host}:${server.port}/")`)), "FETCH_REFUSED", host);
    }
    assert.equal(server.seen.length, 0);
  });

  Deno.test(`${tier}: fetch refuses other schemes, users, headers of the host, large bodies (runtime.md row 59)`, async () => {
    await using stack = new AsyncDisposableStack();
    await using server = serve((request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/large") return new Response(new Uint8Array(100_001));
      if (pathname === "/endless") {
        return new Response(new ReadableStream({ pull: (into) => into.enqueue(new Uint8Array(4096)) }));
      }
      if (pathname === "/bomb") {
        const packed = new Blob([new Uint8Array(32 << 20)]).stream().pipeThrough(new CompressionStream("gzip"));
        return new Response(packed, { headers: { "content-encoding": "gzip" } });
      }
      if (pathname === "/packed") {
        const packed = new Blob(["packed well"]).stream().pipeThrough(new CompressionStream("gzip"));
        return new Response(packed, { headers: { "content-encoding": "gzip" } });
      }
      return new Response("fine");
    });
    const guest = await guestOf(tier, stack, { allowFetch: { origins: [server.origin], maxBytes: 100_000 } });
    const urls = ["file:///etc/passwd", "data:text/plain,a", "blob:http://a/b", "ftp://127.0.0.1/", "/relative", ""];
    for (const url of [...urls, `http://user:secret@127.0.0.1:${server.port}/`]) {
      assert.equal(await guest.evaluate(codeOf(`fetch(${JSON.stringify(url)})`)), "FETCH_REFUSED", url);
    }
    const headers = [["Host", "a"], ["Connection", "close"], ["Cookie", "a=b"], ["Proxy-Authorization", "a"]]
      .concat([["Content-Length", "1"], ["Transfer-Encoding", "chunked"], ["Sec-A", "a"], ["x", "a\r\nb: c"]])
      .concat([["x\r\ny", "a"], ["x", "a\0"], ["", "a"], ["x y", "a"], ["x", "€"]]);
    for (const header of headers) {
      const call = `fetch("${server.origin}", { headers: [${JSON.stringify(header)}] })`;
      assert.equal(await guest.evaluate(codeOf(call)), "FETCH_REFUSED", String(header));
    }
    for (const method of ["CONNECT", "TRACE", "GET / HTTP/1.1\r\n"]) {
      const call = `fetch("${server.origin}", { method: ${JSON.stringify(method)} })`;
      assert.equal(await guest.evaluate(codeOf(call)), "FETCH_REFUSED", method);
    }
    const large = `fetch("${server.origin}", { method: "POST", body: new Uint8Array(100001) })`;
    assert.equal(await guest.evaluate(codeOf(large)), "FETCH_LIMIT");
    assert.equal(server.seen.length, 0);
    for (const path of ["large", "endless", "bomb"]) {
      assert.equal(await guest.evaluate(codeOf(`fetch("${server.origin}/${path}")`)), "FETCH_LIMIT", path);
    }
    assert.equal(await guest.evaluate(`fetch("${server.origin}/packed").then((a) => a.text())`), "packed well");
    assert.equal(await guest.evaluate(`fetch("${server.origin}").then((a) => a.text())`), "fine");
  });

  Deno.test(`${tier}: an abort ends the connection (runtime.md row 59)`, async () => {
    await using stack = new AsyncDisposableStack();
    await using server = raw(() => Promise.resolve());
    const guest = await guestOf(tier, stack, { allowFetch: { origins: [server.origin] } });
    const code = await guest.evaluate(`(async () => {
      const abort = new AbortController();
      setTimeout(() => abort.abort(Object.assign(new Error(), { code: "MINE" })), 50);
      try { await fetch("${server.origin}", { signal: abort.signal }) } catch (e) { return e.code }
    })()`);
    assert.equal(code, "MINE");
    await server.gone;
  });

  Deno.test(`${tier}: the end of a run ends what it fetches`, async () => {
    await using stack = new AsyncDisposableStack();
    await using server = raw(() => Promise.resolve());
    const guest = await guestOf(tier, stack, { allowFetch: { origins: [server.origin] } });
    const abort = new AbortController();
    const run = assert.rejects(guest.evaluate(`fetch("${server.origin}")`, { signal: abort.signal }), {
      code: "E_ABORTED",
    });
    await server.reached;
    abort.abort();
    await run;
    await server.gone;
    assert.equal(await guest.evaluate("1 + 1"), 2);
  });
}

const none = new AbortController().signal;

/** What a fetcher answers, or the code with which it refuses. */
async function outcome(grant: FetchGrant, input: unknown, resolve?: () => Promise<string[]>): Promise<unknown> {
  return await new Fetcher(grant, resolve).fetch(input, none).then(
    (answer) => (answer as { status: number }).status,
    (error) => error.code,
  );
}

Deno.test("fetch: a name that leads to an address that is not public, be it one of several, is not connected to (runtime.md row 58)", async () => {
  await using server = serve(() => new Response("reached"));
  const origin = `http://granted.example:${server.port}`;
  const url = `${origin}/`;
  for (const found of [["127.0.0.1"], ["::1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:7f00:1"], ["64:ff9b::7f00:1"]]) {
    let asked = 0;
    const resolve = () => Promise.resolve((asked++, found));
    assert.equal(await outcome({ origins: [origin] }, { url }, resolve), "FETCH_REFUSED", String(found));
    assert.equal(asked, 1, "a name is looked up once");
  }
  assert.equal(await outcome({ origins: [origin] }, { url }, () => Promise.resolve([])), "FETCH_FAILED");
  const own = `http://${Deno.hostname()}:${server.port}`;
  assert.ok(["FETCH_REFUSED", "FETCH_FAILED"].includes(await outcome({ origins: [own] }, { url: own }) as string));
  assert.equal(server.seen.length, 0);
});

Deno.test("fetch: which addresses are public (runtime.md row 58)", () => {
  const inside = ["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1", "172.31.9.9"]
    .concat(["192.0.0.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "203.0.113.9", "224.0.0.1", "255.255.255.255"])
    .concat(["::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "2002:7f00:1::", "2001::1"])
    .concat(["::ffff:10.0.0.1", "64:ff9b::a00:1", "fec0::1", "example.com", ""]);
  for (const address of inside) assert.equal(isPublicAddress(address), false, address);
  const outside = [
    "1.1.1.1",
    "100.63.255.255",
    "172.15.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "198.20.0.1",
    "223.255.255.255",
  ]
    .concat(["2606:4700::1111", "2001:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]);
  for (const address of outside) assert.equal(isPublicAddress(address), true, address);
});

Deno.test("fetch: each hop of a redirect is granted or refused, five at most; credentials stay behind (runtime.md row 58)", async () => {
  await using other = serve((request) => new Response(request.headers.get("authorization") ?? "none"));
  await using server = serve((request) => {
    const { pathname, searchParams } = new URL(request.url);
    const step = Number(pathname.slice(1));
    if (searchParams.has("to")) return Response.redirect(searchParams.get("to")!, 307);
    return step > 0 ? Response.redirect(`${server.origin}/${step - 1}`, 302) : new Response(request.method);
  });
  const grant = { origins: [server.origin, other.origin] };
  const to = (url: string) => ({
    url: `${server.origin}/?to=${encodeURIComponent(url)}`,
    headers: [["authorization", "Bearer a"]],
  });
  assert.equal(await outcome(grant, { url: `${server.origin}/5` }), 200);
  assert.equal(await outcome(grant, { url: `${server.origin}/6` }), "FETCH_REFUSED");
  assert.equal(await outcome(grant, { url: `${server.origin}/1`, redirect: "error" }), "FETCH_REFUSED");
  assert.equal(await outcome(grant, { url: `${server.origin}/1`, redirect: "manual" }), 302);
  const answer = await new Fetcher(grant).fetch(to(other.origin), none) as { body: Uint8Array; redirected: boolean };
  assert.deepEqual([new TextDecoder().decode(answer.body), answer.redirected], ["none", true]);
  const posted = { url: `${server.origin}/1`, method: "POST", body: new Uint8Array(3) };
  const after = await new Fetcher(grant).fetch(posted, none) as { body: Uint8Array };
  assert.equal(new TextDecoder().decode(after.body), "GET");
  const before = other.seen.length;
  for (const url of [other.origin, "http://169.254.169.254/", "file:///etc/passwd", "http://a:b@127.0.0.1/"]) {
    assert.equal(await outcome({ origins: [server.origin] }, to(url)), "FETCH_REFUSED", url);
  }
  assert.equal(other.seen.length, before);
});

Deno.test("fetch: https asks for a certificate of the host by an authority that is known", async () => {
  const { certificate: cert, privateKey: key } = selfSignedCertificate({ names: ["127.0.0.1"] });
  const { certificate: foreign, privateKey: foreignKey } = selfSignedCertificate({ names: ["other.example"] });
  const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const right = Deno.serve({ ...options, cert, key }, () => new Response("private"));
  const wrong = Deno.serve({ ...options, cert: foreign, key: foreignKey }, () => new Response("private"));
  const [origin, other] = [right, wrong].map(({ addr }) => `https://127.0.0.1:${addr.port}`);
  const authorities = cert + foreign;
  assert.equal(await outcome({ origins: [origin], authorities }, { url: origin }), 200);
  assert.equal(await outcome({ origins: [origin] }, { url: origin }), "FETCH_FAILED");
  assert.equal(await outcome({ origins: [other], authorities }, { url: other }), "FETCH_FAILED");
  await Promise.all([right.shutdown(), wrong.shutdown()]);
});

Deno.test("fetch: limits on requests, on those at a time, and on time", async () => {
  await using server = serve(() => new Response("fine"));
  await using silent = raw(() => Promise.resolve());
  const few = new Fetcher({ origins: [server.origin], maxRequests: 2 });
  const url = server.origin;
  await few.fetch({ url }, none);
  await few.fetch({ url }, none);
  await assert.rejects(few.fetch({ url }, none), { code: "FETCH_LIMIT" });
  const narrow = new Fetcher({ origins: [silent.origin, server.origin], maxOpen: 1 });
  const abort = new AbortController();
  const first = assert.rejects(narrow.fetch({ url: silent.origin }, abort.signal), { code: "E_ABORTED" });
  await assert.rejects(narrow.fetch({ url }, none), { code: "FETCH_LIMIT" });
  abort.abort();
  await first;
  assert.equal((await narrow.fetch({ url }, none) as { status: number }).status, 200);
  await using slow = raw(async (connection) => {
    await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"));
  });
  await assert.rejects(new Fetcher({ origins: [slow.origin], timeout: 200 }).fetch({ url: slow.origin }, none), {
    code: "FETCH_LIMIT",
    message: /200 ms/,
  });
});

Deno.test("fetch: what is no HTTP, ends early or is not there fails without a word of the host", async () => {
  const answers = [
    "nonsense\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
    "",
    "HTTP/1.1 101 Switching\r\nupgrade: a\r\nconnection: upgrade\r\n\r\n",
  ];
  for (const answer of answers) {
    await using server = raw(async (connection) => {
      if (answer) await connection.write(new TextEncoder().encode(answer));
      connection.close();
    });
    const error = await new Fetcher({ origins: [server.origin] }).fetch({ url: server.origin }, none).then(
      () => assert.fail(answer),
      (error) => error as Error & { code: string },
    );
    assert.equal(error.code, "FETCH_FAILED", answer);
    assert.doesNotMatch(error.message, /127\.0\.0\.1|os error|node:/, answer);
  }
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const origin = `http://127.0.0.1:${free.addr.port}`;
  free.close();
  assert.equal(await outcome({ origins: [origin] }, { url: origin }), "FETCH_FAILED");
});

Deno.test("fetch: an origin that is none, or a pattern, cannot be granted", () => {
  const wrong = ["example.com", "https://example.com/path", "https://user@example.com", "https://*.example.com", "*"]
    .concat(["ftp://example.com", "https://example.com?a", "http://localhost:80", "http://0.0.0.0", "http://[::]"])
    .concat(["http://224.0.0.1", "https://", "https://a b", ""]);
  for (const origin of wrong) {
    assert.throws(() => new Fetcher({ origins: [origin] }), { code: "E_REFUSED" }, origin);
  }
  assert.throws(() => new Fetcher({ origins: ["http://localhost:81"] }), /http:\/\/127\.0\.0\.1:81/);
  assert.throws(() => new Fetcher({ origins: [], maxBytes: 1 << 30 }), { code: "E_REFUSED" });
  assert.throws(() => new Fetcher({ origins: [], methods: ["CONNECT"] }), { code: "E_REFUSED" });
});
