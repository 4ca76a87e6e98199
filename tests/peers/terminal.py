"""Gives a program a terminal of its own and types on it.

The arguments are the program's. Each JSON line on standard input is an order, and answered by one:
{"until": text} waits until the terminal has shown the text; {"type": text} types; {"signal": number} signals the
program; {"end": true} waits for its end and says its exit code, everything that was shown, and whether the terminal is
set as it was.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

DEADLINE = 30

master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    # "-" first: standard input and output are pipes, and the terminal is only where the program looks for it.
    piped = sys.argv[1] == "-"
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null if piped else slave, descriptor)
    program = sys.argv[2:] if piped else sys.argv[1:]
    os.execvp(program[0], program)

shown = b""
looked = 0
status = None


def read_some():
    """Takes what the terminal shows, and looks whether the program runs."""
    global shown, status
    ready, _, _ = select.select([master], [], [], 0.05)
    if ready:
        shown += os.read(master, 65536)
    elif status is None:
        ended, how = os.waitpid(pid, os.WNOHANG)
        if ended:
            status = os.waitstatus_to_exitcode(how)


def until(text):
    """Reads until the text was shown, after what was waited for before."""
    global looked
    limit = time.monotonic() + DEADLINE
    while time.monotonic() < limit:
        found = shown.find(text.encode(), looked)
        if found >= 0:
            looked = found + len(text)
            return {"shown": text}
        if status is not None:
            break
        read_some()
    return {"error": f"{text!r} was not shown", "shown": shown.decode(errors="replace")}


def end():
    """Reads until the program has ended."""
    limit = time.monotonic() + DEADLINE
    while status is None and time.monotonic() < limit:
        read_some()
    if status is None:
        os.kill(pid, signal.SIGKILL)
    restored = termios.tcgetattr(slave) == before
    return {"code": status, "shown": shown.decode(errors="replace"), "restored": restored}


for line in sys.stdin:
    order = json.loads(line)
    if "until" in order:
        answer = until(order["until"])
    elif "type" in order:
        os.write(master, order["type"].encode())
        answer = {}
    elif "signal" in order:
        os.kill(pid, order["signal"])
        answer = {}
    else:
        answer = end()
    print(json.dumps(answer), flush=True)

if status is None:
    os.kill(pid, signal.SIGKILL)
