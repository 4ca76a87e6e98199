/**
 * A program that sends one request with a credential to a URL, and prints the status, or why there is none.
 *
 * @module
 */
import { OutboundClient } from "@alknet/handlers/http";

const headers = { authorization: "Bearer SECRET" };
try {
  const time = { signal: AbortSignal.timeout(20_000), timeLeft: () => 0 };
  const { status } = await new OutboundClient().send({ method: "POST", url: Deno.args[0], headers }, time);
  console.log(status);
} catch (error) {
  console.log((error as { code?: string }).code ?? String(error));
}
Deno.exit(0);
