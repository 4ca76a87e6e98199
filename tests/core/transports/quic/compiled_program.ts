/**
 * A program as an executable of its own sees itself, for tests of how it starts its engine: it listens, dials itself over
 * QUIC and says over what it came. APP is what starts it, STARTS a file to which each start adds its arguments; a third
 * start ends at once. With DEAF its engine does not come to listen().
 *
 * @module
 */
if (import.meta.main) {
  Object.defineProperty(Deno, "build", { value: { ...Deno.build, standalone: true } });
  Deno.execPath = () => Deno.env.get("APP")!;
  const starts = Deno.env.get("STARTS")!;
  await Deno.writeTextFile(starts, `${Deno.args[0] ?? ""}\n`, { append: true });
  const generation = (await Deno.readTextFile(starts)).trimEnd().split("\n").length;
  if (generation > 2 || (generation === 2 && Deno.env.get("DEAF"))) Deno.exit(3);
  const { router } = await import("../../../../core/endpoint/router.ts");
  const { defineHandler } = await import("../../../../core/handler/handler.ts");
  const handler = defineHandler({ alpns: ["test/suite"], handle: async ({ closed }) => void await closed });
  const node = await router().use(handler).listen({});
  const [{ hostname, port }] = node.addresses;
  const connection = await node.connect(`${node.nodeId}@${hostname}:${port}`, "test/suite");
  connection.close();
  await node.shutdown();
  console.log(connection.transport);
}
