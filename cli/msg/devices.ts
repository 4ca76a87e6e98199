/**
 * What the commands of devices do.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { OwnDevice } from "@alknet/handlers/msg";
import { ExitCode, note, print, printJson } from "../terminal/output.ts";
import { visibleLine } from "../terminal/visible.ts";
import { openMessengerHome, type Shared } from "./home.ts";
import { stdinText } from "./input.ts";
import { shortId } from "./showing.ts";

/** Time to tell the others. */
const TIME = 10_000;

/** `msg device join`. */
export async function joinDevice(
  options: Shared & { readonly name: string; readonly token: string },
): Promise<number> {
  const token = options.token === "-" ? await stdinText("a token") : options.token;
  await using open = await openMessengerHome(options);
  const { fault, ...device } = await open.messenger.devices.join(options.name, token, soon());
  show(options, device, "asked");
  noteLate(fault);
  return ExitCode.DONE;
}

/** `msg device add`. */
export async function addDevice(options: Shared & { readonly name: string; readonly key: string }): Promise<number> {
  await using open = await openMessengerHome(options);
  const { messenger } = open;
  const fitting = messenger.contacts().filter(({ nodeId }) =>
    nodeId === options.key || shortId(nodeId) === options.key
  );
  if (fitting.length !== 1) {
    throw new AlknetError("NO_DEVICE", `nobody of key ${visibleLine(options.key)} asks; look: alknet msg sync`);
  }
  const { fault, ...device } = await messenger.devices.add(options.name, fitting[0].nodeId, soon());
  show(options, device, "added");
  noteLate(fault);
  return ExitCode.DONE;
}

/** `msg device list`. */
export async function listDevices(options: Shared): Promise<number> {
  await using open = await openMessengerHome(options);
  for (const device of open.messenger.devices.list()) {
    if (options.json) printJson({ ...device });
    else {
      const { name, nodeId, isFirst } = device;
      print([visibleLine(name), shortId(nodeId), ...isFirst ? ["first"] : []].join("  "));
    }
  }
  return ExitCode.DONE;
}

/** `msg device remove`. */
export async function removeDevice(options: Shared & { readonly name: string }): Promise<number> {
  await using open = await openMessengerHome(options);
  const { fault } = await open.messenger.devices.remove(options.name, soon());
  if (options.json) printJson({ removed: options.name });
  else print(`removed ${visibleLine(options.name)}`);
  noteLate(fault);
  return ExitCode.DONE;
}

function show({ json }: Shared, device: OwnDevice, what: string): void {
  if (json) printJson({ ...device });
  else print(`${what} ${visibleLine(device.name)}, ${shortId(device.nodeId)}`);
}

function soon(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(TIME) };
}

function noteLate(fault: AlknetError | undefined): void {
  if (fault) note(`alknet: note: not everybody knows it yet; they are told by alknet msg sync: ${fault.message}`);
}
