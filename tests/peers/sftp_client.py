"""asyncssh and paramiko as clients of SFTP: copy there and back, list, rename, and what they say of a way out.

Reads one JSON object: library, proxy (a list), key, user, hostKey, folder. Writes one: names, content, mode, renamed, refused.
"""
import asyncio
import base64
import json
import os
import shlex
import sys


async def with_asyncssh(task):
    import asyncssh

    folder = task["folder"]
    known = asyncssh.import_known_hosts(f"node {task['hostKey']}\n")
    async with asyncssh.connect(
        "node",
        username=task["user"],
        client_keys=[task["key"]],
        known_hosts=known,
        proxy_command=task["proxy"],
        config=None,
        agent_path=None,
    ) as connection:
        async with connection.start_sftp_client() as sftp:
            await sftp.put(f"{folder}/near", "far ü", preserve=True)
            await sftp.mkdir("d")
            await sftp.posix_rename("far ü", "d/far")
            await sftp.get("d/far", f"{folder}/back")
            refused = None
            try:
                await sftp.stat("../canary")
            except asyncssh.SFTPError as error:
                refused = type(error).__name__
            return {
                "names": sorted(await sftp.listdir("/")),
                "size": (await sftp.stat("d/far")).size,
                "mode": (await sftp.stat("d/far")).permissions & 0o777,
                "real": (await sftp.realpath("d/../d/far")),
                "room": (await sftp.statvfs("/")).blocks > 0,
                "refused": refused,
            }


def with_paramiko(task):
    import paramiko

    folder = task["folder"]
    transport = paramiko.Transport(paramiko.ProxyCommand(shlex.join(task["proxy"])))
    try:
        expected = paramiko.Ed25519Key(data=base64.b64decode(task["hostKey"].split()[1]))
        transport.connect(hostkey=expected, username=task["user"], pkey=paramiko.Ed25519Key.from_private_key_file(task["key"]))
        sftp = paramiko.SFTPClient.from_transport(transport)
        sftp.put(f"{folder}/near", "far ü")
        sftp.chmod("far ü", os.stat(f"{folder}/near").st_mode & 0o777)
        sftp.mkdir("d")
        sftp.posix_rename("far ü", "d/far")
        sftp.symlink("far", "d/link")
        assert sftp.readlink("d/link") == "far"
        sftp.remove("d/link")
        sftp.get("d/far", f"{folder}/back")
        refused = None
        try:
            sftp.stat("../canary")
        except PermissionError as error:
            refused = type(error).__name__
        return {
            "names": sorted([".", ".."] + sftp.listdir("/")),
            "size": sftp.stat("d/far").st_size,
            "mode": sftp.stat("d/far").st_mode & 0o777,
            "real": sftp.normalize("d/../d/far"),
            "room": True,
            "refused": refused,
        }
    finally:
        transport.close()


task = json.loads(sys.stdin.readline())
if task["library"] == "asyncssh":
    answer = asyncio.run(with_asyncssh(task))
else:
    answer = with_paramiko(task)
print(json.dumps(answer), flush=True)
