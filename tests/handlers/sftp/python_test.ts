/**
 * asyncssh and paramiko as clients of SFTP (ssh.md row 14).
 *
 * @module
 */
import assert from "node:assert/strict";
import { needs } from "../../support/programs.ts";
import { startPeer } from "../../support/python.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { sshNode } from "../ssh/node.ts";

for (const [library, refused] of [["asyncssh", "SFTPPermissionDenied"], ["paramiko", "PermissionError"]]) {
  Deno.test({
    name: `alknet/ssh: ${library} puts, gets, lists, renames, and is kept in its folder (ssh.md row 14)`,
    ...needs("linux", "ssh-keygen", "python"),
    async fn() {
      await using folder = await temporaryFolder();
      await Deno.mkdir(folder.join("root"));
      await folder.write("canary", "canary");
      const content = Uint8Array.from({ length: 1_000_003 }, (_, at) => (at * 2654435761) >>> 24);
      await folder.write("near", content, { mode: 0o640 });
      await Deno.chmod(folder.join("near"), 0o640);
      await using node = await sshNode({ policy: { sftp: { root: folder.join("root") } } });
      await using peer = startPeer("sftp_client.py");
      const answer = await peer.ask({
        library,
        proxy: node.proxy,
        key: `${node.folder}/user`,
        user: "anyone",
        hostKey: (await Deno.readTextFile(`${node.folder}/host.pub`)).trim(),
        folder: folder.path,
      });
      assert.deepEqual(answer, {
        ...{ names: [".", "..", "d"], size: content.length, mode: 0o640, real: "/d/far", room: true, refused },
      });
      assert.deepEqual(new Uint8Array(await Deno.readFile(folder.join("back"))), content);
    },
  });
}
