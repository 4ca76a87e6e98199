import assert from "node:assert/strict";
import {
  close,
  connectUnix,
  eventfd,
  pollAsync,
  pollBlocking,
  read,
  write,
} from "../../../../../core/transports/quic/linux/calls.ts";
import { checked, Errno, hasLibc, Poll, systemError } from "../../../../../core/transports/quic/linux/call_table.ts";
import { Memory, PollSet, setAddress } from "../../../../../core/transports/quic/linux/memory.ts";
import { mapShared, memoryFile } from "../../../../../core/transports/quic/linux/shared_pages.ts";
import { runProgram } from "../../../../support/process.ts";

const ignore = !hasLibc();

Deno.test("setAddress() writes 64 bits, little-endian", () => {
  const view = new DataView(new ArrayBuffer(8));
  setAddress(view, 0, 0x7fff_89ab_cdef);
  assert.equal(view.getBigUint64(0, true), 0x7fff_89ab_cdefn);
});

Deno.test("systemError() names the number", () => {
  assert.equal(systemError("bind", 98).code, "EADDRINUSE");
  assert.throws(() => checked("bind", -13), { code: "EACCES", message: "system call bind failed: EACCES" });
  assert.equal(checked("read", 7), 7);
});

Deno.test({
  name: "poll tells of an eventfd, in this thread and in another",
  ignore,
  async fn() {
    const fd = checked("eventfd", eventfd());
    const set = new PollSet(2);
    set.set(0, fd, Poll.IN);
    const one = new Uint8Array(8);
    one[0] = 1;
    assert.equal(read(fd, one, 0, 8), -Errno.EAGAIN);
    assert.equal(pollBlocking(set, 0), 0);
    const waiting = pollAsync(set, -1);
    assert.equal(write(fd, one, 0, 8), 8);
    assert.equal(await waiting, 1);
    assert.equal(set.ready(0), Poll.IN);
    assert.equal(pollBlocking(set, -1), 1);
    assert.equal(read(fd, new Uint8Array(8), 0, 8), 8);
    assert.throws(() => read(fd, new Uint8Array(8), 4, 8), RangeError);
    assert.equal(close(fd), 0);
    assert.equal(close(fd), -9);
  },
});

Deno.test({
  name: "connectUnix(), write() and read() talk to a Unix listener without blocking",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/socket`;
    using listener = Deno.listen({ transport: "unix", path });
    const accepting = listener.accept();
    const fd = connectUnix(path);
    using peer = await accepting;
    const memory = new Memory(16);
    assert.equal(read(fd, memory.bytes, 0, 16), -Errno.EAGAIN);
    memory.bytes.set(new TextEncoder().encode("hello, world"), 2);
    assert.equal(write(fd, memory.bytes, 2, 12), 12);
    const text = new Uint8Array(12);
    await peer.read(text);
    assert.equal(new TextDecoder().decode(text), "hello, world");
    await peer.write(new Uint8Array([1, 2, 3]));
    const set = new PollSet(1);
    set.set(0, fd, Poll.IN);
    assert.equal(await pollAsync(set, -1), 1);
    assert.equal(read(fd, memory.bytes, 4, 10), 3);
    assert.deepEqual([...memory.bytes.subarray(4, 7)], [1, 2, 3]);
    close(fd);
    assert.equal(await peer.read(text), null);
    assert.throws(() => connectUnix(`${folder}/none`), { code: "ENOENT" });
    assert.throws(() => connectUnix("/".repeat(108)), { code: "ENAMETOOLONG" });
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test({
  name: "mapShared() shows one memory to all who map the file",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/map`;
    const a = mapShared(path, 4096);
    const b = mapShared(path, 4096);
    assert.equal(a.bytes.length, 4096);
    a.bytes[4095] = 42;
    assert.equal(b.bytes[4095], 42);
    assert.equal((await Deno.readFile(path))[4095], 42);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    a.unmap();
    a.unmap();
    b.unmap();
    assert.throws(() => mapShared(folder, 4096), { code: "EISDIR" });
    await Deno.remove(folder, { recursive: true });
  },
});

/** Runs a command where files in memory that may be executed are refused, which is a setting of a PID namespace. */
const STRICT = ["--pid", "--fork", "--mount-proc", "sh", "-c", 'echo 2 > /proc/sys/vm/memfd_noexec && exec "$@"', "sh"];

/** Whether this machine's kernel has that setting and lets us. */
function canBeStrict(): boolean {
  try {
    return hasLibc() && new Deno.Command("unshare", { args: [...STRICT, "true"], stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "files in memory are mapped, also where those that may be executed are refused",
  ignore: !canBeStrict(),
  async fn() {
    const file = memoryFile("test");
    const map = mapShared(file.path, 4096);
    map.bytes[4095] = 7;
    const again = mapShared(file.path, 4096);
    assert.equal(again.bytes[4095], 7);
    for (const { unmap } of [map, again]) unmap();
    file.close();
    const module = new URL("../../../../../core/transports/quic/linux/shared_pages.ts", import.meta.url);
    const program = `
      import { mapShared, memoryFile } from "${module}";
      mapShared(memoryFile("test").path, 4096).bytes[0] = 1;
      console.log("mapped");
    `;
    const { code, stdout, stderr } = await runProgram("unshare", [...STRICT, Deno.execPath(), "run", "-A", "-"], {
      stdin: program,
    });
    assert.equal(stdout, "mapped\n", stderr);
    assert.equal(code, 0);
  },
});
