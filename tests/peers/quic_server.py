"""aioquic as server: echoes streams, one-way streams and datagrams on a port of its own.

One JSON line a server: alpn, host, and what its certificate says (names, days of validity before and after now). The
authority is made here; every server of one process has it, and one key. The answer gives port, authority and fingerprint.
"""

import asyncio
import datetime
import ipaddress
import json
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from quic_wire import say


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def issue(subject, public_key, issuer, issuer_key, days, extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def general_name(text):
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


AUTHORITY_KEY = ec.generate_private_key(ec.SECP256R1())
AUTHORITY = issue(
    "test authority",
    AUTHORITY_KEY.public_key(),
    "test authority",
    AUTHORITY_KEY,
    (-1, 30),
    [x509.BasicConstraints(ca=True, path_length=0)],
)
KEY = ec.generate_private_key(ec.SECP256R1())


class Echo(QuicConnectionProtocol):
    def quic_event_received(self, event):
        quic = self._quic
        if isinstance(event, events.StreamDataReceived):
            if event.stream_id % 4 == 2:
                self.echo_one_way(event)
            else:
                quic.send_stream_data(event.stream_id, event.data, event.end_stream)
        elif isinstance(event, events.StreamReset):
            quic.reset_stream(event.stream_id, event.error_code + 1)
        elif isinstance(event, events.DatagramFrameReceived):
            quic.send_datagram_frame(event.data)
        self.transmit()

    def echo_one_way(self, event):
        answers = self.__dict__.setdefault("answers", {})
        if event.stream_id not in answers:
            answers[event.stream_id] = self._quic.get_next_available_stream_id(is_unidirectional=True)
        self._quic.send_stream_data(answers[event.stream_id], event.data, event.end_stream)


async def start(request):
    names = [general_name(text) for text in request.get("names", ["localhost", "127.0.0.1", "::1"])]
    leaf = issue(
        "leaf",
        KEY.public_key(),
        "test authority",
        AUTHORITY_KEY,
        request.get("days", [-1, 30]),
        [x509.SubjectAlternativeName(names)],
    )
    configuration = QuicConfiguration(
        is_client=False,
        alpn_protocols=[request.get("alpn", "test/echo")],
        max_datagram_frame_size=65_535,
        max_data=16 << 20,
        max_stream_data=4 << 20,
    )
    configuration.certificate = leaf
    configuration.private_key = KEY
    server = await serve(
        request.get("host", "127.0.0.1"),
        0,
        configuration=configuration,
        create_protocol=Echo,
        retry=request.get("retry", False),
    )
    say(
        {
            "port": server._transport.get_extra_info("sockname")[1],
            "authority": AUTHORITY.public_bytes(serialization.Encoding.PEM).decode(),
            "fingerprint": "SHA256:" + leaf.fingerprint(hashes.SHA256()).hex(),
        }
    )


async def main():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await start(json.loads(line))


asyncio.run(main())
