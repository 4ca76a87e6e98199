"""Sends the first datagrams of a QUIC client and nothing more.

Reads one JSON line: port, alpns, serverName. The datagrams go to that port of 127.0.0.1.
"""

import json
import socket
import sys

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection

request = json.loads(sys.stdin.readline())
server = ("127.0.0.1", request["port"])
configuration = QuicConfiguration(
    is_client=True, alpn_protocols=request["alpns"], server_name=request["serverName"]
)
client = QuicConnection(configuration=configuration)
client.connect(server, now=0.0)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    for datagram, _ in client.datagrams_to_send(now=0.0):
        sender.sendto(datagram, server)
    sys.stdin.read()
