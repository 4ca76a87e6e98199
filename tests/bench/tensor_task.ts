/**
 * One task of the tensor benchmarks, in a process of its own so that its peak memory is its own: prints the rate and the
 * peak as a line of JSON.
 *
 * ```text
 * tensor_task.ts TASK FILE SECONDS
 * ```
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { fileLayout, openSync, struct, texts, write } from "@alknet/tensor";

/** Items that are looked up between two looks at the clock. */
const LOOKUPS = 10_000;
const GIB = 2 ** 30;

const [task, path, seconds] = Deno.args;
const TASKS: Readonly<Record<string, () => number | Promise<number>>> = {
  "make": () => make(path, Number(seconds)),
  "make-strings": () => makeStrings(path, Number(seconds)),
  "open": () =>
    rate(1, () => {
      using file = openSync(path);
      return Number(file.slice("t0", [1, 2]).data[0]);
    }),
  "open-whole": () =>
    rate(1, () => {
      using file = openSync(path);
      return Number(file.array("t0")[1]);
    }),
  "sum": () =>
    rate(size(path), () => {
      using file = openSync(path);
      let sum = 0;
      for (const name of file.names()) sum += sumOf(file.array(name) as Float32Array);
      return sum;
    }),
  "sum-read": () =>
    rate(size(path), async () => {
      const bytes = await Deno.readFile(path);
      const begin = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
      return sumOf(new Float32Array(bytes.buffer, begin));
    }),
  "write": async () => {
    using from = openSync(path);
    const data = from.array("t0");
    const target = `${path}.written`;
    return await rate(data.byteLength / GIB, async () => {
      await write(target, { t0: { dtype: "F32", shape: [data.length], data } });
      return size(target);
    });
  },
  "strings": async () => {
    using file = openSync(path);
    const strings = file.blobs<string>("s");
    return await lookups(strings.length, (i) => strings.at(i).length);
  },
  "strings-sqlite": async () => {
    using database = new DatabaseSync(`${path}.sqlite`, { readOnly: true });
    const query = database.prepare("select value from s where id = ?");
    const { count } = database.prepare("select count(*) as count from s").get() as { count: number };
    return await lookups(count, (i) => (query.get(i) as { value: string }).value.length);
  },
};

console.log(JSON.stringify({ value: await TASKS[task](), peak: peakMemory() }));

async function make(target: string, bytes: number): Promise<number> {
  const piece = new Float32Array(2 ** 18).fill(1);
  const extent = bytes / 4 / 2;
  const data = function* () {
    for (let left = extent; left > 0; left -= piece.length) yield piece.subarray(0, left);
  };
  await write(target, { t0: { dtype: "F32", shape: [extent], data }, t1: { dtype: "F32", shape: [extent], data } });
  return bytes;
}

async function makeStrings(target: string, count: number): Promise<number> {
  const s = Array.from({ length: count }, (_, i) => `string ${i} `.repeat(1 + i % 4));
  await fileLayout(struct({ s: texts() })).write(target, { s });
  using database = new DatabaseSync(`${target}.sqlite`);
  database.exec("create table s (id integer primary key, value text); begin");
  const insert = database.prepare("insert into s values (?, ?)");
  s.forEach((value, i) => insert.run(i, value));
  database.exec("commit");
  return count;
}

/** Times the amount a second. The first time is not counted: it fills caches for whoever comes after, too. */
async function rate(amount: number, work: () => number | Promise<number>): Promise<number> {
  await work();
  const begun = performance.now();
  let times = 0;
  do {
    await work();
    times++;
  } while (performance.now() - begun < Number(seconds) * 1000);
  return amount * times / (performance.now() - begun) * 1000;
}

function lookups(count: number, look: (i: number) => number): Promise<number> {
  let at = 1;
  return rate(LOOKUPS, () => {
    let sum = 0;
    for (let i = 0; i < LOOKUPS; i++) sum += look((at = (at * 1_103_515_245 + 12_345) % 2 ** 31) % count);
    return sum;
  });
}

function sumOf(array: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < array.length; i++) sum += array[i];
  return sum;
}

function size(file: string): number {
  return Deno.statSync(file).size / GIB;
}

/** The most memory that this process had at a time, in MiB, mapped pages of files included. */
function peakMemory(): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]) / 1024;
}
