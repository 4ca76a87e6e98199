/**
 * A client of its own, for tests of what becomes of those that are killed.
 *
 * @module
 */
import { connect } from "../../../../core/endpoint/dial.ts";

if (import.meta.main) {
  const connection = await connect(Deno.args[0], "test/suite", { transport: "quic" });
  console.log("connected");
  await connection.closed;
}
