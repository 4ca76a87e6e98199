"""A shell at a terminal: types lines up to the Tab and waits for what the shell makes of each.

usage: shell_terminal.py SHELL ARGS... < JSON
JSON: { "setup": [LINE...], "cases": [{ "typed": TEXT, "shown": TEXT }], "patience": SECONDS }
Prints one JSON array: for each case whether it was shown, and the screen where it was not.
"""

import json
import os
import pty
import re
import select
import signal
import sys
import time

job = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="dumb", PS1="> ", COLUMNS="400", LINES="50", INPUTRC="/dev/null")
    os.execvp(sys.argv[1], sys.argv[1:])

CONTROL = re.compile(r"\x1b\[[0-9;?=]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07|[\x00\x07\x0e\x0f]|\r")
seen = ""


def read(seconds):
    global seen
    ready, _, _ = select.select([terminal], [], [], seconds)
    if ready:
        try:
            seen += CONTROL.sub("", os.read(terminal, 65536).decode(errors="replace"))
        except OSError:
            return False
    return True


def wait(text):
    end = time.monotonic() + job["patience"]
    while text not in seen.replace("\n", ""):
        if time.monotonic() > end or not read(0.2):
            return False
    return True


for line in job["setup"]:
    os.write(terminal, line.encode() + b"\n")
os.write(terminal, b"echo rea''dy\n")
results = []
if not wait("ready"):
    results = [{"shown": False, "screen": seen[-2000:]} for _ in job["cases"]]
else:
    for case in job["cases"]:
        # Whatever is on the line goes first.
        os.write(terminal, b"\x15")
        time.sleep(0.1)
        while select.select([terminal], [], [], 0.1)[0] and read(0):
            pass
        seen = ""
        os.write(terminal, case["typed"].encode() + b"\t")
        shown = wait(case["shown"])
        results.append({"shown": shown, "screen": "" if shown else seen[-2000:]})
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
print(json.dumps(results))
