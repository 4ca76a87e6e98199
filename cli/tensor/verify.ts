/**
 * `alknet tensor verify`: everything that can be said against a file.
 *
 * @module
 */
import { openSync, TensorError } from "@alknet/tensor";
import { ExitCode, note, print, printJson } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import { counted } from "../terminal/size.ts";

/** Checks a file; each tensor that fails is named. */
export function verify(
  { file: path, strict, json }: { file: string; strict: boolean; json: boolean },
): number {
  using file = openSync(path, { mode: strict ? "strict" : "compat" });
  using progress = new Progress("verifying");
  const names = file.names();
  let failed = 0;
  for (const [index, name] of names.entries()) {
    progress.report(index / names.length);
    const { kind } = file.info(name);
    try {
      if (kind === "blob") file.blobs(name).check(true);
      else if (kind === "struct") { for (const _ of file.records(name)); }
      else if (strict) file.tensor(name);
      else file.checkDigest(name);
    } catch (error) {
      if (!(error instanceof TensorError)) throw error;
      failed++;
      if (json) printJson({ name, code: error.code, message: error.message });
      else note(`alknet: ${error.code}: ${error.message}`);
    }
  }
  if (json) printJson({ file: path, tensors: names.length, failed });
  else print(`${path}: ${counted(names.length, "tensor")}, ${failed === 0 ? "all sound" : `${failed} not sound`}`);
  return failed === 0 ? ExitCode.DONE : ExitCode.FAILED;
}
