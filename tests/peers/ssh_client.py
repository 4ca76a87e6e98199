"""asyncssh and paramiko as clients: runs commands through a ProxyCommand and reports what came of them.

Reads one JSON object: library, proxy (a list), key, user, hostKey, command, input. Writes one: code, stdout, stderr.
"""
import asyncio
import base64
import json
import shlex
import sys


async def with_asyncssh(task):
    import asyncssh

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
        result = await connection.run(task["command"], input=task["input"])
        return {"code": result.exit_status, "stdout": result.stdout, "stderr": result.stderr}


def with_paramiko(task):
    import paramiko

    transport = paramiko.Transport(paramiko.ProxyCommand(shlex.join(task["proxy"])))
    try:
        kind, key = task["hostKey"].split()[:2]
        assert kind == "ssh-ed25519"
        expected = paramiko.Ed25519Key(data=base64.b64decode(key))
        transport.connect(hostkey=expected, username=task["user"], pkey=paramiko.Ed25519Key.from_private_key_file(task["key"]))
        channel = transport.open_session()
        channel.exec_command(task["command"])
        channel.sendall(task["input"].encode())
        channel.shutdown_write()
        stdout, stderr = channel.makefile().read().decode(), channel.makefile_stderr().read().decode()
        return {"code": channel.recv_exit_status(), "stdout": stdout, "stderr": stderr}
    finally:
        transport.close()


task = json.loads(sys.stdin.readline())
if task["library"] == "asyncssh":
    answer = asyncio.run(with_asyncssh(task))
else:
    answer = with_paramiko(task)
print(json.dumps(answer), flush=True)
