"""A DNS over QUIC client of aioquic, honest and not. Each JSON line names a scenario; each answer says what the client saw."""

import select
import socket
import ssl
import sys
import threading
import time

import dns.message
from quic_wire import Client, requests, say

CLIENT_UNI = 2
CANCELLED = 3


def query(name, identifier=0):
    message = dns.message.make_query(name, "A")
    message.id = identifier
    return message.to_wire()


def framed(wire):
    return len(wire).to_bytes(2, "big") + wire


def connected(request):
    return Client(request).connect()


def answers(client, stream):
    """What a stream that has ended says: the addresses in its one answer."""
    data = bytes(client.streams.get(stream, b""))
    message = dns.message.from_wire(data[2 : 2 + int.from_bytes(data[:2], "big")])
    return [str(record) for rrset in message.answer for record in rrset]


def ask(client, name):
    stream = client.quic.get_next_available_stream_id()
    client.send(stream, framed(query(name)), True)
    client.run(lambda: stream in client.ended or client.closed)
    return answers(client, stream)


def wrong(request):
    """Something that is no query, on a connection that has asked before."""
    client = connected(request)
    before = ask(client, request["name"])
    stream = CLIENT_UNI if request.get("oneWay") else client.quic.get_next_available_stream_id()
    client.send(stream, bytes.fromhex(request["bytes"]), request["end"])
    client.run(lambda: client.closed)
    return {"before": before, **client.outcome()}


def burst(request):
    """Queries on as many streams at once as there may be."""
    client = connected(request)
    whole = framed(query(request["name"]))
    streams = []
    for _ in range(request["streams"]):
        streams.append(client.quic.get_next_available_stream_id())
        client.quic.send_stream_data(streams[-1], whole, True)
    client.flush()
    client.run(lambda: client.closed or all(stream in client.ended for stream in streams))
    found = {"answered": sum(len(answers(client, stream)) for stream in streams)}
    client.close()
    return {**found, **client.outcome()}


def cancel(request):
    """A reset and a stop in mid-query; the connection goes on."""
    client = connected(request)
    half = framed(query(request["name"]))[:20]
    for cut in (client.quic.reset_stream, client.quic.stop_stream):
        stream = client.quic.get_next_available_stream_id()
        client.send(stream, half)
        cut(stream, CANCELLED)
        client.flush()
        client.run(lambda: stream in client.resets or client.closed)
    found = {"resets": sorted(client.resets.values()), "answer": ask(client, request["name"])}
    client.close()
    return found


def endless(request):
    """A query without an end: answered, and the stream refused later."""
    client = connected(request)
    stream = client.quic.get_next_available_stream_id()
    client.send(stream, framed(query(request["name"])))
    client.run(lambda: stream in client.ended)
    found = answers(client, stream)
    client.run(lambda: stream in client.stops or client.closed)
    return {"answer": found, "stop": client.stops.get(stream), "again": ask(client, request["name"])}


def hoard(request):
    """Streams that are held with half a query each, and then more and more of them."""
    client = connected(request)
    whole = framed(query(request["name"]))
    held = []
    for _ in range(request["streams"]):
        held.append(client.quic.get_next_available_stream_id())
        client.send(held[-1], whole[:20])
    more = client.quic.get_next_available_stream_id()
    client.send(more, whole, True)
    client.run(lambda: more in client.resets or client.closed)
    client.send(held[0], whole[20:], True)
    client.run(lambda: held[0] in client.ended or client.closed)
    found = {"reset": client.resets.get(more), "held": answers(client, held[0])}
    # One place is free, and taken; then there is none.
    client.send(client.quic.get_next_available_stream_id(), whole[:20])
    while not client.closed:
        client.send(client.quic.get_next_available_stream_id(), whole, True)
        client.step()
    return {**found, **client.outcome()}


def churn(request):
    """Streams that begin a query and are cancelled (RFC 9250 §4.3.1), fifty at a time."""
    client = connected(request)
    half = framed(query(request["name"]))[:20]
    for begun in range(0, request["streams"], 50):
        # aioquic resets a stream that it may not open yet, which nobody may.
        client.run(lambda: client.quic._remote_max_streams_bidi >= begun + 50 or client.closed)
        streams = []
        for _ in range(50):
            streams.append(client.quic.get_next_available_stream_id())
            client.quic.send_stream_data(streams[-1], half)
        # The peer has to see that they begin before it sees their ends.
        client.flush()
        for stream in streams:
            client.quic.reset_stream(stream, CANCELLED)
            if request.get("stops", True):
                client.quic.stop_stream(stream, CANCELLED)
        client.flush()
        client.run(lambda: client.closed or all(stream in client.resets for stream in streams))
        if client.closed:
            break
    found = {"resets": len(client.resets), "answer": [] if client.closed else ask(client, request["name"])}
    client.close()
    return {**found, **client.outcome()}


def flood(request):
    """Queries without end over QUIC and over TLS, on a new connection when one is closed, until the next line comes."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["dot"])
    whole = framed(query(request["name"]))
    threading.Thread(target=pour, args=(context, request["port"], whole * 100), daemon=True).start()
    counts = {"sent": 0, "refused": 0, "closed": 0}
    client = connected(request)
    while not select.select([sys.stdin], [], [], 0)[0] or counts["closed"] == 0:
        if over(client):
            counts["closed"] += 1
            client.socket.close()
            client = Client(request)
            client.connect(wait=False)
            client.run(lambda: client.handshake or over(client), limit=60)
        for _ in range(100):
            stream = client.quic.get_next_available_stream_id()
            client.quic.send_stream_data(stream, whole, True)
            counts["sent"] += 1
        client.flush()
        client.run(lambda: over(client) or stream in client.ended or stream in client.resets, limit=60)
        counts["refused"] += len(client.resets)
        client.resets.clear()
    return counts


def over(client):
    """Whether the connection is closed; aioquic tells of it only when the time is up for late packets."""
    return client.closed or client.quic._close_event


def pour(context, port, data):
    """What TLS takes; nobody reads an answer."""
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)) as plain:
                with context.wrap_socket(plain) as secure:
                    while True:
                        secure.sendall(data)
        except OSError:
            time.sleep(0.1)


def refused(request):
    """A handshake that is not to succeed."""
    client = Client(request)
    client.connect(wait=False)
    client.run(lambda: client.handshake or client.closed)
    return client.outcome()


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (wrong, burst, cancel, endless, hoard, churn, flood, refused)
}

if __name__ == "__main__":
    for request in requests():
        say(SCENARIOS[request["scenario"]](request))
