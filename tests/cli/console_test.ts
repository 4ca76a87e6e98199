/**
 * `handlers.http.console` in the configuration: the page on a real node, in headless Chromium.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { startBrowser } from "../support/chromium.ts";
import { needs } from "../support/programs.ts";
import { initHome } from "./home.ts";

Deno.test({
  name: "handlers.http.console serves people: state of the node, tokens, a live log, and a node that stops",
  ...needs("chromium"),
  async fn() {
    await using home = await initHome();
    await home.writeConfig({ ...await home.config(), handlers: { call: {}, http: { console: true } } });
    const { code, stdout: token, stderr } = await home.run("token", "create", "--scope", "admin");
    equal(code, 0, stderr);
    await using browser = await startBrowser();
    const node = await home.serve();
    try {
      const page = await browser.open(`https://127.0.0.1:${node.port}/`);
      await page.until("document.querySelector('#state').textContent === 'Connected'");
      equal(await page.text("#node"), home.nodeId);
      match(await page.text("main"), /for those who sign in/);
      ok(!(await page.text("#list")).includes("tokens/list"));

      await page.click("#account");
      await page.fill("#token", "alk_wrong");
      await page.press("Enter");
      await page.until("document.querySelector('#token-fault').textContent.includes('not known to this node')");
      equal(await page.evaluate("sessionStorage.length"), 0);
      await page.fill("#token", token.trim());
      await page.press("Enter");
      await page.until("!document.querySelector('#sign').open && document.querySelector('main table')");
      match(await page.text("main"), /h2/);
      await page.until("document.querySelector('#list').innerText.includes('tokens/list')");

      await page.evaluate("getSelection().selectAllChildren(document.querySelector('main dd code'))");
      await page.evaluate("document.querySelector('main table').dataset.old = 1");
      await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
      await page.until("document.querySelector('main table:not([data-old])')");
      equal(await page.evaluate("getSelection().toString()"), home.nodeId, "new counters leave the rest alone");

      await page.click('a[href="#/tokens%2Fcreate"]');
      await page.click("#input button.small");
      await page.fill("#input fieldset textarea", "notes:read");
      await page.click("main button.main");
      await page.until("document.querySelector('#answer pre')?.innerText.includes('alk_')");
      deepEqual(JSON.parse(await page.text("#answer pre")).scopes, ["notes:read"]);

      await page.click('a[href="#/node%2Fconnections"]');
      await page.until(
        "document.querySelector('h1').textContent === 'node/connections' && document.querySelector('#input')",
      );
      await page.click("main button.main");
      await page.until("document.querySelector('.events li')?.textContent.includes('\"h2\"')");

      await node[Symbol.asyncDispose]();
      await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
      await page.until("document.querySelector('#state').textContent === 'Unreachable'");
      deepEqual(page.complaints, []);
    } finally {
      await node[Symbol.asyncDispose]();
    }
  },
});
