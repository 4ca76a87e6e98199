"""Runs a program to which Linux answers one system call with an error, as a sandbox does (seccomp, x86_64).

deny.py memfd_create|socket6 ERRNO PROGRAM [ARGUMENT...]
"""

import ctypes
import os
import struct
import sys

LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x50000
SYSTEM_CALL, FIRST_ARGUMENT = 0, 16
SOCKET, MEMFD_CREATE, AF_INET6 = 41, 319, 10
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 22, 38, 2

# Jumps say how many instructions to pass over, if equal and if not; the last two are "fail" and "allow".
CONDITIONS = {
    "memfd_create": [(EQUAL, 0, 1, MEMFD_CREATE)],
    "socket6": [(EQUAL, 0, 3, SOCKET), (LOAD, 0, 0, FIRST_ARGUMENT), (EQUAL, 0, 1, AF_INET6)],
}


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def deny(what, errno):
    code = [(LOAD, 0, 0, SYSTEM_CALL), *CONDITIONS[what], (RETURN, 0, 0, FAIL | errno), (RETURN, 0, 0, ALLOW)]
    memory = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    program = Program(len(code), ctypes.addressof(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0)):
        if libc.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    deny(sys.argv[1], int(sys.argv[2]))
    os.execvp(sys.argv[3], sys.argv[3:])
