"""Reads slowly over TLS, and says something now and then. Arguments: port, server name. Prints the bytes that it got."""
import socket
import ssl
import sys
import time

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.set_alpn_protocols(["test/suite"])
raw = socket.socket()
raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
raw.connect(("127.0.0.1", int(sys.argv[1])))
tls = context.wrap_socket(raw, server_hostname=sys.argv[2])
tls.sendall(b"go")
got = 0
ended = "eof"
try:
    while block := tls.recv(16384):
        got += len(block)
        time.sleep(0.025)
        tls.send(b".")
except OSError as error:
    ended = type(error).__name__
print(got, ended)
