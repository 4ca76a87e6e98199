"""One QUIC client on a socket of its own, driven step by step.

aioquic keeps the protocol apart from the sockets, so a test decides what is sent, from where, and when. Beside the
honest calls there are those that a hostile client needs: packets of frames written by hand, no acknowledgements, other
source addresses.
"""

import hashlib
import json
import select
import socket
import ssl
import sys
import time

from aioquic.buffer import encode_uint_var
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.packet import QuicPacketType
from aioquic.quic.packet_builder import QuicPacketBuilder
from aioquic.tls import Epoch

LARGEST_DATAGRAM = 65_527


def varint(value):
    return encode_uint_var(value)


def bytes_of(length, salt=0):
    """Bytes that differ from stream to stream and repeat at no power of two."""
    block = bytes((i * 7 + salt * 13 + i // 251) % 256 for i in range(4099))
    return (block * (length // len(block) + 1))[:length]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def say(message):
    print(json.dumps(message), flush=True)


class Silent(QuicConnection):
    """A client that can hold back its acknowledgements and everything else that aioquic sends by itself."""

    mute = False

    def datagrams_to_send(self, now):
        return [] if self.mute else super().datagrams_to_send(now)


class Client:
    def __init__(self, request, connection=QuicConnection, **settings):
        host = request.get("host", "127.0.0.1")
        self.server = (host, request["port"])
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.source = request.get("source", "::" if ":" in host else "0.0.0.0")
        self.socket = self.new_socket()
        callbacks = {
            name: settings.pop(name) for name in ("session_ticket_handler",) if name in settings
        }
        settings.setdefault("verify_mode", ssl.CERT_NONE)
        settings.setdefault("server_name", "localhost")
        settings.setdefault("max_datagram_frame_size", 65_535)
        self.configuration = QuicConfiguration(
            is_client=True, alpn_protocols=[request.get("alpn", "test/echo")], **settings
        )
        if "certificate" in request:
            self.configuration.load_cert_chain(request["certificate"], request["key"])
        self.quic = connection(configuration=self.configuration, **callbacks)
        self.streams = {}
        self.ended = set()
        self.resets = {}
        self.stops = {}
        self.datagrams = []
        self.handshake = None
        self.closed = None
        self.received = 0

    def new_socket(self):
        sock = socket.socket(self.family, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        sock.bind((self.source, 0))
        sock.setblocking(False)
        return sock

    def connect(self, wait=True):
        self.quic.connect(self.server, now=time.monotonic())
        self.flush()
        if wait:
            self.run(lambda: self.handshake or self.closed)
            self.settle()
        return self

    def settle(self):
        """Until the server has confirmed the handshake, so that what follows is 1-RTT alone."""
        if not self.closed:
            self.run(lambda: self.quic._handshake_confirmed or self.closed)

    def flush(self):
        for data, _ in self.quic.datagrams_to_send(now=time.monotonic()):
            self.put(data)

    def put(self, data, sock=None):
        sock = sock or self.socket
        while True:
            try:
                return sock.sendto(data, self.server)
            except BlockingIOError:
                select.select([], [sock], [], 1)
            except ConnectionRefusedError:
                continue

    def step(self, timeout=0.05):
        now = time.monotonic()
        due = self.quic.get_timer()
        if due is not None:
            timeout = max(0, min(timeout, due - now))
        select.select([self.socket], [], [], timeout)
        while True:
            try:
                data, _ = self.socket.recvfrom(65_536)
            except (BlockingIOError, ConnectionRefusedError):
                break
            self.received += 1
            self.quic.receive_datagram(data, self.server, now=time.monotonic())
            self.take_events()
        due = self.quic.get_timer()
        if due is not None and time.monotonic() >= due:
            self.quic.handle_timer(now=time.monotonic())
        self.take_events()
        self.flush()

    def run(self, until, limit=20):
        end = time.monotonic() + limit
        while not until():
            if time.monotonic() > end:
                raise TimeoutError("the server did not do what was waited for")
            self.step()

    def drain_blindly(self):
        """Empties the socket without a look at what was in it."""
        while True:
            try:
                self.socket.recv(65_536)
                self.received += 1
            except (BlockingIOError, ConnectionRefusedError):
                return

    def linger(self, seconds):
        """Goes on for a while, or until the connection is closed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.closed:
            self.step()

    def take_events(self):
        while (event := self.quic.next_event()) is not None:
            if isinstance(event, events.HandshakeCompleted):
                self.handshake = event
            elif isinstance(event, events.StreamDataReceived):
                self.streams.setdefault(event.stream_id, bytearray()).extend(event.data)
                if event.end_stream:
                    self.ended.add(event.stream_id)
            elif isinstance(event, events.StreamReset):
                self.resets[event.stream_id] = event.error_code
            elif isinstance(event, events.StopSendingReceived):
                self.stops[event.stream_id] = event.error_code
            elif isinstance(event, events.DatagramFrameReceived):
                self.datagrams.append(event.data)
            elif isinstance(event, events.ConnectionTerminated):
                self.closed = event

    def send(self, stream, data, end=False):
        self.quic.send_stream_data(stream, data, end_stream=end)
        self.flush()

    def echo(self, data=b"hello"):
        """One stream there and back."""
        stream = self.quic.get_next_available_stream_id()
        self.send(stream, data, True)
        self.run(lambda: stream in self.ended or self.closed)
        return bytes(self.streams.get(stream, b"")) == data

    def close(self, code=0, reason=""):
        self.quic.close(error_code=code, reason_phrase=reason)
        self.flush()

    def outcome(self):
        if self.closed is None:
            return {"closed": False}
        return {"closed": True, "code": self.closed.error_code, "reason": self.closed.reason_phrase}

    def packet(self, frames, number=None):
        """A 1-RTT packet of frames written by hand."""
        quic = self.quic
        builder = QuicPacketBuilder(
            host_cid=quic.host_cid,
            is_client=True,
            max_datagram_size=LARGEST_DATAGRAM,
            packet_number=quic._packet_number if number is None else number,
            peer_cid=quic._peer_cid.cid,
            version=quic._version,
        )
        builder.start_packet(QuicPacketType.ONE_RTT, quic._cryptos[Epoch.ONE_RTT])
        builder._buffer.push_bytes(frames)
        datagrams, _ = builder.flush()
        if number is None:
            quic._packet_number = builder.packet_number
        return datagrams[0]

    def put_frames(self, frames):
        self.put(self.packet(frames))


def requests():
    for line in sys.stdin:
        yield json.loads(line)
