"""A client of `alknet/call` over TCP and TLS, written from the text of the protocol alone, with the standard library.

It shares no line with the implementation it is run against: frames, envelopes, both tables, both directions and the
check of the node's key are its own. One connection has one stream, which both ends share.

    async with await CallClient.connect("127.0.0.1", 4433, node_id) as client:
        print(await client.call("clock/now", {"zone": "UTC"}))
        async for value in client.subscribe("log/follow", {"unit": "web"}):
            print(value)
"""
import asyncio
import contextlib
import itertools
import json
import ssl
import struct
import uuid

ALPN = "alknet/call"
MAX_BODY = 67_108_864
PROTOCOL_CODES = ("NOT_FOUND", "FORBIDDEN", "INVALID_INPUT", "INVALID_OPERATION_TYPE", "INTERNAL", "TIMEOUT")

# A node id is the z-base-32 form of the node's Ed25519 key.
Z_BASE_32 = "ybndrfg8ejkmcpqxot1uwisza345h769"
# AlgorithmIdentifier and BIT STRING header of an Ed25519 SubjectPublicKeyInfo (RFC 8410); the key's 32 bytes follow.
ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")


class CallError(Exception):
    """A `call.error`, or what stands for one on this side."""

    def __init__(self, code, message, retryable=False, details=None, payload=None):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retryable = retryable
        self.details = details
        self.payload = payload

    @classmethod
    def read(cls, payload):
        """The error of a payload (§5.2: one without the required members is INTERNAL)."""
        good = (
            isinstance(payload, dict)
            and isinstance(payload.get("code"), str)
            and isinstance(payload.get("message"), str)
            and isinstance(payload.get("retryable"), bool)
        )
        if not good:
            return cls("INTERNAL", "malformed call.error", False, None, payload)
        return cls(payload["code"], payload["message"], payload["retryable"], payload.get("details"), payload)


class ConnectionClosed(CallError):
    """The connection ended (§16)."""

    def __init__(self):
        super().__init__("INTERNAL", "connection closed")


def public_key(node_id):
    """The key that a node id names."""
    bits = 0
    for character in node_id:
        bits = bits << 5 | Z_BASE_32.index(character)
    # 52 characters carry 260 bits; the last 4 are padding.
    return (bits >> (len(node_id) * 5 - 256)).to_bytes(32, "big")


def encode(envelope):
    """One frame (§2.1)."""
    body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
    if not 0 < len(body) <= MAX_BODY:
        raise ValueError(f"a body of {len(body)} bytes does not fit a frame")
    return struct.pack(">I", len(body)) + body


class Wire:
    """Frames over TLS over TCP. TLS is driven by hand, because asyncio's cannot half-close."""

    def __init__(self, reader, writer, tls, incoming, outgoing):
        self._reader = reader
        self._writer = writer
        self._tls = tls
        self._incoming = incoming
        self._outgoing = outgoing
        self._buffer = bytearray()
        self.sent = []

    @classmethod
    async def connect(cls, host, port, node_id, identity=None, alpn=ALPN):
        """Dials, and holds the node to the key that its id names. `identity` is (certificate file, key file)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # A node certificate is verified by its key alone, never by issuer, name or date.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols([alpn])
        if identity:
            context.load_cert_chain(*identity)
        reader, writer = await asyncio.open_connection(host, port)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname=f"{node_id}.alknet")
        wire = cls(reader, writer, tls, incoming, outgoing)
        try:
            await wire._handshake()
            certificate = tls.getpeercert(binary_form=True)
            if ED25519_SPKI + public_key(node_id) not in certificate:
                raise ssl.SSLError("the node has another key than its id says")
            if tls.selected_alpn_protocol() != alpn:
                raise ssl.SSLError(f"the node chose ALPN {tls.selected_alpn_protocol()}")
        except BaseException:
            writer.close()
            raise
        return wire

    async def _handshake(self):
        while True:
            try:
                self._tls.do_handshake()
                return await self._flush()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()

    async def _flush(self):
        self._writer.write(self._outgoing.read())
        await self._writer.drain()

    async def _fill(self):
        data = await self._reader.read(65_536)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def send(self, data):
        """Writes bytes as they are: a frame, several, or a piece of one."""
        self.sent.append(bytes(data))
        for at in range(0, len(data), 16_384):
            self._tls.write(data[at:at + 16_384])
        await self._flush()

    async def _read_exactly(self, count):
        while len(self._buffer) < count:
            try:
                data = self._tls.read(65_536)
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
                continue
            except ssl.SSLError:
                data = b""
            if not data:
                return None
            self._buffer += data
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    async def receive(self):
        """The next envelope, or None at the end of the stream."""
        try:
            head = await self._read_exactly(4)
            if head is None:
                return None
            (length,) = struct.unpack(">I", head)
            if not 0 < length <= MAX_BODY:
                raise ValueError(f"frame length {length}")
            body = await self._read_exactly(length)
        except (ConnectionError, OSError):
            return None
        return None if body is None else json.loads(body)

    async def half_close(self):
        """Says that nothing more will be sent, and goes on receiving."""
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLSyscallError):
            self._tls.unwrap()
        await self._flush()

    def cut(self):
        """Ends the connection at once, without a word."""
        self._writer.transport.abort()

    async def close(self):
        """Ends the connection."""
        with contextlib.suppress(ssl.SSLError, OSError, ValueError):
            await self.half_close()
        self._writer.close()
        with contextlib.suppress(Exception):
            await self._writer.wait_closed()


class CallClient:
    """Calls, and answers what the other side calls."""

    def __init__(self, wire, operations=None):
        self.wire = wire
        # Name without a slash to an async function of the input (once), or an async generator function (stream).
        self.operations = operations or {}
        # Every envelope that arrived, for cases that look at the wire.
        self.received = []
        self._outgoing = {}
        self._inbound = {}
        self._arrivals = asyncio.Condition()
        self.closed = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, host, port, node_id, identity=None, operations=None):
        return cls(await Wire.connect(host, port, node_id, identity), operations)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def close(self):
        await self.wire.close()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self._reader
        self._end()

    # Calling

    def begin(self, request_id):
        """Takes an id before its request is written: an answer can arrive at once (§14)."""
        queue = asyncio.Queue()
        self._outgoing[request_id] = queue
        if self.closed.done():
            queue.put_nowait(None)
        return queue

    async def request(self, name, request_id=None, **payload):
        """Writes a `call.requested` and returns its id and the queue of its answers."""
        request_id = request_id or str(uuid.uuid4())
        queue = self.begin(request_id)
        await self.send("call.requested", request_id, {"operationId": f"/{name}", **payload})
        return request_id, queue

    async def send(self, kind, request_id, payload, **members):
        try:
            await self.wire.send(encode({"type": kind, "id": request_id, "payload": payload, **members}))
        except (OSError, ssl.SSLError):
            self._end()

    async def call(self, name, call_input=None, **payload):
        """The output of a query or a mutation. Raises CallError."""
        request_id, queue = await self.request(name, input=call_input, **payload)
        return await self.answer(request_id, queue)

    async def answer(self, request_id, queue):
        try:
            return self._output(await queue.get())
        finally:
            self._outgoing.pop(request_id, None)

    async def subscribe(self, name, call_input=None, **payload):
        """The values of a subscription. Leaving early aborts it."""
        request_id, queue = await self.request(name, input=call_input, **payload)
        over = False
        try:
            while True:
                event = await queue.get()
                over = event is None or event["type"] != "call.responded"
                if event is not None and event["type"] == "call.completed":
                    return
                yield self._output(event)
        finally:
            self._outgoing.pop(request_id, None)
            if not over:
                await self.abort(request_id)

    async def abort(self, request_id):
        await self.send("call.aborted", request_id, {})

    @staticmethod
    def _output(event):
        if event is None:
            raise ConnectionClosed()
        if event["type"] == "call.responded":
            return event["payload"].get("output")
        if event["type"] == "call.aborted":
            raise CallError("INTERNAL", "request cancelled")
        raise CallError.read(event["payload"])

    # Looking at the wire

    async def arrived(self, wanted):
        """The first envelope, past or to come, that `wanted` accepts."""
        async with self._arrivals:
            while True:
                for envelope in self.received:
                    if wanted(envelope):
                        return envelope
                if self.closed.done():
                    raise ConnectionClosed()
                await self._arrivals.wait()

    def answers_to(self, request_id):
        return [envelope for envelope in self.received if envelope["id"] == request_id]

    # Serving

    async def _read(self):
        try:
            while (envelope := await self.wire.receive()) is not None:
                self.received.append(envelope)
                self._take(envelope)
                async with self._arrivals:
                    self._arrivals.notify_all()
        except (ValueError, ssl.SSLError, OSError):
            self.wire.cut()
        finally:
            self._end()
            async with self._arrivals:
                self._arrivals.notify_all()

    def _take(self, envelope):
        kind, request_id = envelope["type"], envelope["id"]
        if kind == "call.requested":
            # A second request with an id being served is dropped (§7, rule 6).
            if request_id not in self._inbound:
                self._inbound[request_id] = asyncio.create_task(self._serve(request_id, envelope["payload"]))
        elif kind == "call.aborted" and request_id in self._inbound:
            self._inbound[request_id].cancel()
        elif kind in ("call.responded", "call.completed", "call.error", "call.aborted"):
            queue = self._outgoing.get(request_id)
            if queue is not None:
                queue.put_nowait(envelope)

    async def _serve(self, request_id, payload):
        try:
            name = payload.get("operationId")
            name = name[1:] if isinstance(name, str) and name.startswith("/") else name
            operation = self.operations.get(name)
            if operation is None:
                raise CallError("NOT_FOUND", f"operation not found: {name}")
            result = operation(payload.get("input"))
            if hasattr(result, "__aiter__"):
                async for value in result:
                    await self.send("call.responded", request_id, {"output": value})
                await self.send("call.completed", request_id, {})
            else:
                await self.send("call.responded", request_id, {"output": await result})
        except CallError as error:
            answer = {"code": error.code, "message": error.message, "retryable": error.retryable}
            if error.details is not None:
                answer["details"] = error.details
            await self.send("call.error", request_id, answer)
        finally:
            self._inbound.pop(request_id, None)

    def _end(self):
        if self.closed.done():
            return
        self.closed.set_result(None)
        for queue in self._outgoing.values():
            queue.put_nowait(None)
        for task in self._inbound.values():
            task.cancel()


def counter(prefix):
    """Request ids that a person can read in a trace."""
    return (f"{prefix}-{n}" for n in itertools.count(1))
