"""An honest QUIC client. Each JSON line names a scenario; each answer says what the client saw."""

import select
import time

from quic_wire import Client, bytes_of, requests, say, sha256

CLIENT_UNI = 2
HELD = []


def bulk(request):
    """Many streams at once, each echoed whole."""
    client = Client(request, max_data=16 << 20, max_stream_data=4 << 20).connect()
    sent = {}
    for number in range(request["streams"]):
        data = bytes_of(request["size"], number)
        stream = client.quic.get_next_available_stream_id()
        client.quic.send_stream_data(stream, data, end_stream=True)
        sent[stream] = sha256(data)
    client.flush()
    client.run(lambda: client.closed or client.ended >= sent.keys(), limit=60)
    received = {stream: sha256(bytes(client.streams[stream])) for stream in sent}
    alpn = client.handshake.alpn_protocol
    client.close()
    return {"same": sum(sent[s] == received[s] for s in sent), "alpn": alpn}


def reset(request):
    """We cut our direction; the handler is told the code and answers on another stream with it."""
    client = Client(request).connect()
    client.send(0, b"to be cut")
    client.run(lambda: 0 in client.streams)
    client.quic.reset_stream(0, request["code"])
    client.flush()
    return told(client)


def reset_many(request):
    """Streams that are cut both ways, more than may be open at once, fifty at a time. The handler takes the first for itself."""
    client = Client(request).connect()
    client.send(0, b"first")
    client.run(lambda: 0 in client.resets)
    for begun in range(0, request["streams"], 50):
        streams = []
        for _ in range(50):
            streams.append(client.quic.get_next_available_stream_id())
            client.quic.send_stream_data(streams[-1], b"to be cut")
        client.flush()
        client.run(lambda: client.closed or all(stream in client.streams for stream in streams))
        for stream in streams:
            client.quic.reset_stream(stream, 1)
        client.flush()
        client.run(lambda: client.closed or all(stream in client.resets for stream in streams))
        if client.closed:
            break
    result = {"resets": len(client.resets), "echo": not client.closed and client.echo()}
    client.close()
    return result


def stop(request):
    """We refuse what the handler writes; it is told the code."""
    client = Client(request).connect()
    client.send(0, b"to be refused")
    client.run(lambda: 0 in client.streams)
    client.quic.stop_stream(0, request["code"])
    client.send(0, b"more to echo")
    return {**told(client), "reset": client.resets.get(0)}


def be_reset(request):
    """The handler resets and stops the stream that asks for it."""
    client = Client(request).connect()
    client.send(0, b"first")
    client.run(lambda: 0 in client.resets and 0 in client.stops)
    result = {"reset": client.resets[0], "stop": client.stops[0], "echo": client.echo()}
    client.close()
    return result


def half_close(request):
    """Our end comes first; everything echoed still arrives, and then the other end."""
    client = Client(request).connect()
    client.send(0, b"first ")
    client.run(lambda: bytes(client.streams.get(0, b"")) == b"first ")
    early = 0 in client.ended
    client.send(0, b"last", True)
    client.run(lambda: 0 in client.ended)
    client.close()
    return {"early": early, "text": client.streams[0].decode()}


def unidirectional(request):
    """Our one-way stream; the handler's one comes back with the same bytes."""
    client = Client(request).connect()
    data = bytes_of(100_000)
    client.send(CLIENT_UNI, data, True)
    client.run(lambda: client.ended)
    (stream,) = client.ended
    client.close()
    return {"stream": stream, "same": bytes(client.streams[stream]) == data}


def datagrams(request):
    """Messages there and back; the longest that a packet of ours carries among them."""
    client = Client(request).connect()
    messages = [bytes_of(size, size) for size in (1, 100, 1000)]
    for message in messages:
        client.quic.send_datagram_frame(message)
    client.flush()
    client.run(lambda: len(client.datagrams) == len(messages))
    client.close()
    return {"same": sorted(client.datagrams) == sorted(messages)}


def handshake(request):
    """The handshake alone, and one echo if it succeeds."""
    settings = {}
    if "versions" in request:
        settings["supported_versions"] = request["versions"]
    client = Client(request, **settings).connect()
    if client.closed:
        return client.outcome()
    result = {"echo": client.echo(), "version": client.quic._version, "retries": client.quic._retry_count}
    client.close()
    return result


def open(request):
    """A connection that stays, until `close` closes it."""
    client = Client(request).connect()
    HELD.append(client)
    return {"echo": client.echo()}


def close(request):
    """Closes the connection that stayed."""
    HELD.pop().close(request["code"], request["reason"])
    return {}


def begin(request):
    """A first flight, and then silence: a handshake that does not end."""
    client = Client(request)
    client.connect(wait=False)
    # The server's flight is there, so the server has begun; nobody reads it.
    select.select([client.socket], [], [], 10)
    HELD.append(client)
    return {}


def be_closed(request):
    """The handler closes; we see its code and reason."""
    client = Client(request).connect()
    client.send(0, b"close", True)
    client.run(lambda: client.closed)
    return client.outcome()


def key_update(request):
    """Keys change several times (RFC 9001 §6), with data before, between and after."""
    client = Client(request).connect()
    same = client.echo()
    for _ in range(3):
        client.quic.request_key_update()
        same = client.echo(bytes_of(50_000)) and same
    client.close()
    return {"echo": same}


def resume(request):
    """A first connection gets a ticket; the second resumes with it and sends early data."""
    tickets = []
    first = Client(request, session_ticket_handler=tickets.append).connect()
    first.echo()
    first.close()
    if not tickets:
        return {"tickets": 0}
    ticket = tickets[-1]
    offered = ticket.max_early_data_size
    # Offered whether or not the server's ticket allows it (RFC 8446 §4.2.10 would have the client refrain).
    ticket.max_early_data_size = 0xFFFFFFFF
    second = Client(request, session_ticket=ticket)
    second.quic.connect(second.server, now=time.monotonic())
    second.send(0, b"early")
    second.run(lambda: second.handshake or second.closed)
    if second.closed:
        return {"tickets": len(tickets), **second.outcome()}
    event = second.handshake
    second.send(0, b"", True)
    second.run(lambda: 0 in second.ended or second.closed)
    result = {
        "tickets": len(tickets),
        "allowed": offered,
        "resumed": event.session_resumed,
        "early": event.early_data_accepted,
        "text": bytes(second.streams.get(0, b"")).decode(),
    }
    second.close()
    return result


def ticket_for_a_key(request):
    """A first connection proves a key; the second has its ticket and neither certificate nor key."""
    tickets = []
    first = Client(request, session_ticket_handler=tickets.append).connect()
    first.echo()
    first.close()
    others = {name: value for name, value in request.items() if name not in ("certificate", "key")}
    second = Client(others, session_ticket=tickets[-1]).connect()
    outcome = second.outcome()
    second.close()
    return {"tickets": len(tickets) > 0, "closed": outcome["closed"], "code": outcome.get("code")}


def told(client):
    """What the handler was told: it opens a stream and says so."""
    client.run(lambda: 1 in client.ended)
    text = client.streams[1].decode()
    client.close()
    return {"told": text}


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        bulk,
        reset,
        reset_many,
        stop,
        be_reset,
        half_close,
        unidirectional,
        datagrams,
        handshake,
        open,
        begin,
        close,
        be_closed,
        key_update,
        resume,
        ticket_for_a_key,
    )
}

if __name__ == "__main__":
    for request in requests():
        say(SCENARIOS[request["scenario"]](request))
