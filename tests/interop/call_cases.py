"""The conformance cases of the call protocol that a single-stream transport shows, run by `call_client.py`.

    call_cases.py < CONFIGURATION

The configuration is one JSON object: host, port and nodeId of a node with the operations of `call_node.ts`, its tokens, a
certificate and key whose peer has scope `a`, and `small`: a node that takes `table` requests at once. Prints one
JSON object a case: {"row", "name", "ok", "error"}. A row is that of call.md §26.
"""
import asyncio
import json
import sys
import traceback

from call_client import CallClient, CallError, Wire, counter, encode

# A case that hangs fails after this many seconds.
CASE_DEADLINE = 60
CASES = []


def case(row, name):
    def register(run):
        CASES.append((row, name, run))
        return run
    return register


class Node:
    """The node under test."""

    def __init__(self, configuration):
        self.__dict__.update(configuration)

    async def connect(self, operations=None, known=False):
        return CallClient(await self.wire(known), operations)

    async def wire(self, known=False):
        identity = (self.certificate, self.key) if known else None
        return await Wire.connect(self.host, self.port, self.nodeId, identity)


async def fails(code, awaitable):
    """The CallError with this code that something must raise."""
    try:
        value = await awaitable
    except CallError as error:
        assert error.code == code, f"{error.code} ({error}) instead of {code}"
        return error
    raise AssertionError(f"{value!r} instead of {code}")


async def values_of(subscription):
    return [value async for value in subscription]


def same(actual, expected):
    assert actual == expected, f"{actual!r} instead of {expected!r}"


def requested(request_id, name, **payload):
    return encode({"type": "call.requested", "id": request_id, "payload": {"operationId": name, **payload}})


async def alive(client):
    same(await client.call("math/add", {"a": 2, "b": 3}), 5)


# Framing and envelope


async def closes(node, data):
    """The node ends a connection that sends this, and serves nothing more on it."""
    wire = await node.wire()
    try:
        await wire.send(data)
        same(await wire.receive(), None)
    finally:
        await wire.close()
    async with await node.connect() as other:
        await alive(other)


@case("5", "length 0 ends the connection")
async def length_zero(node):
    await closes(node, bytes(4) + requested("late", "/math/add", input={"a": 1, "b": 1}))


@case("6", "a length above 64 MiB ends the connection")
async def length_above(node):
    await closes(node, (67_108_865).to_bytes(4, "big") + b"{")


@case("9", "the end of the stream inside a length: nothing is served")
async def end_in_length(node):
    await ends_in(node, requested("x", "/counters/bump")[:2])


@case("10", "the end of the stream inside a body: nothing is served")
async def end_in_body(node):
    await ends_in(node, requested("x", "/counters/bump")[:-1])


async def ends_in(node, data):
    async with await node.connect() as watcher:
        before = (await watcher.call("counters/read"))["bumped"]
        wire = await node.wire()
        await wire.send(data)
        await wire.half_close()
        same(await wire.receive(), None)
        await wire.close()
        same((await watcher.call("counters/read"))["bumped"], before)


@case("11", "a body that is no UTF-8 or no JSON ends the connection")
async def not_json(node):
    for body in (b'"\xff\xfe"', b"{]", b'{"type":"call.requested","id":"1","payload":{"x":"\xc3"}}'):
        await closes(node, len(body).to_bytes(4, "big") + body)


@case("12", "a body that is no envelope ends the connection")
async def no_envelope(node):
    for value in ([], "text", 7, None, {"id": "1", "payload": {}}, {"type": "call.requested", "payload": {}},
                  {"type": "call.requested", "id": "1"}, {"type": 1, "id": "1", "payload": {}},
                  {"type": "call.requested", "id": 1, "payload": {}}):
        await closes(node, encode(value))


@case("13", "an extra member of the envelope is ignored")
async def extra_member(node):
    async with await node.connect() as client:
        queue = client.begin("e1")
        await client.send("call.requested", "e1", {"operationId": "/math/add", "input": {"a": 1, "b": 1}}, x=1)
        same(await client.answer("e1", queue), 2)


@case("14", "an unknown event type is ignored")
async def unknown_type(node):
    async with await node.connect() as client:
        await client.send("call.future", "f1", {"anything": True})
        await alive(client)
        same(client.answers_to("f1"), [])


@case("15", "an unknown field of the payload is ignored")
async def unknown_field(node):
    async with await node.connect() as client:
        same(await client.call("math/add", {"a": 2, "b": 2}, priority=9, abort_policy="none"), 4)


@case("17b", "a body nested 100 000 levels deep ends the connection")
async def deep_nesting(node):
    deep = b"[" * 100_000 + b"]" * 100_000
    body = b'{"type":"call.requested","id":"1","payload":{"operationId":"/echo/input","input":' + deep + b"}}"
    await closes(node, len(body).to_bytes(4, "big") + body)


# Names and request ids


@case("18", "a name with and without the slash")
async def slash(node):
    async with await node.connect() as client:
        for name in ("/clock/now", "clock/now"):
            queue = client.begin(name)
            await client.send("call.requested", name, {"operationId": name, "input": {}})
            assert "iso" in await client.answer(name, queue)


@case("19", "names that are none are not found")
async def no_names(node):
    async with await node.connect() as client:
        ids = counter("n")
        for name in ("//clock/now", "", 7, None, "/"):
            request_id = next(ids)
            queue = client.begin(request_id)
            await client.send("call.requested", request_id, {"operationId": name})
            await fails("NOT_FOUND", client.answer(request_id, queue))
        queue = client.begin("none")
        await client.send("call.requested", "none", {})
        await fails("NOT_FOUND", client.answer("none", queue))


@case("20", "names are compared byte for byte")
async def case_matters(node):
    async with await node.connect() as client:
        await fails("NOT_FOUND", client.call("Clock/now", {}))


@case("23", "1 000 requests at once on one stream")
async def thousand(node):
    async with await node.connect() as client:
        sums = await asyncio.gather(*(client.call("math/add", {"a": n, "b": 1}) for n in range(1000)))
        same(sums, [n + 1 for n in range(1000)])


@case("24", "both ends use one id at the same time")
async def id_spaces(node):
    asked = asyncio.Event()

    async def status(_):
        asked.set()
        # The node calls with the id that our own request has, while that is being served.
        return {"busy": False}

    async with await node.connect({"worker/status": status}) as client:
        request_id, queue = await client.request("worker/ask", "1", input={"id": "1"})
        same(await client.answer(request_id, queue), {"busy": False})
        assert asked.is_set()


@case("26", "events of an unknown id are dropped")
async def unknown_ids(node):
    async with await node.connect() as client:
        for kind, payload in (("call.responded", {"output": 1}), ("call.completed", {}), ("call.aborted", {}),
                              ("call.error", {"code": "X", "message": "y", "retryable": False})):
            await client.send(kind, "nobody", payload)
        await alive(client)
        same(client.answers_to("nobody"), [])


@case("27", "a second request with an id being served is not answered")
async def duplicate_id(node):
    async with await node.connect() as client:
        _, queue = await client.request("gate/wait", "twin", input={"gate": "g27"})
        await client.wire.send(requested("twin", "/counters/bump"))
        before = (await client.call("counters/read"))["bumped"]
        await client.call("gate/open", {"gate": "g27"})
        same(await client.answer("twin", queue), "opened")
        await alive(client)
        same(len(client.answers_to("twin")), 1)
        same((await client.call("counters/read"))["bumped"], before)


@case("28", "an id is free after its terminal event")
async def reused_id(node):
    async with await node.connect() as client:
        for n in range(3):
            request_id, queue = await client.request("math/add", "again", input={"a": n, "b": n})
            same(await client.answer(request_id, queue), 2 * n)


@case("30", "a caller sees no id but its own of a composed call")
async def composed_ids(node):
    async with await node.connect() as client:
        request_id, queue = await client.request("compose/sum", "root", input={"values": [1, 2, 3, 4]})
        same(await client.answer(request_id, queue), 10)
        same({envelope["id"] for envelope in client.received}, {"root"})


# Serving, results, errors


@case("31", "a query is answered once (E2)")
async def query(node):
    async with await node.connect() as client:
        request_id, queue = await client.request("clock/now", input={"zone": "UTC"})
        assert "iso" in await client.answer(request_id, queue)
        await alive(client)
        same([event["type"] for event in client.answers_to(request_id)], ["call.responded"])


@case("32", "undefined is null")
async def undefined(node):
    async with await node.connect() as client:
        same(await client.call("fail/undefined-output"), None)
        assert "output" in client.received[0]["payload"]


@case("33", "no input is null")
async def no_input(node):
    async with await node.connect() as client:
        queue = client.begin("i")
        await client.send("call.requested", "i", {"operationId": "/echo/input"})
        same((await client.answer("i", queue))["input"], None)


@case("34", "an unknown operation is not found (E4)")
async def unknown_operation(node):
    async with await node.connect() as client:
        error = await fails("NOT_FOUND", client.call("clock/later", {}))
        same(error.retryable, False)
        assert error.message.startswith("operation not found: clock/later"), error.message


@case("35", "an internal operation is not found (E5), with and without rights")
async def internal_operation(node):
    async with await node.connect() as client:
        for token in (None, node.tokens["admin"]):
            extra = {} if token is None else {"auth_token": token}
            known = await fails("NOT_FOUND", client.call("notes/reindex", {}, **extra))
            unknown = await fails("NOT_FOUND", client.call("notes/xeindex", {}, **extra))
            other = json.loads(json.dumps(unknown.payload).replace("notes/xeindex", "notes/reindex"))
            same(known.payload, other)


@case("36", "input that breaks its schema (E10): the path, what was expected, what came; the handler does not run")
async def bad_input(node):
    async with await node.connect() as client:
        error = await fails("INVALID_INPUT", client.call("files/read", {"path": 42}, auth_token=node.tokens["files"]))
        assert "path" in error.message and "string" in error.message, error.message
        before = (await client.call("counters/read"))["bumped"]
        await fails("INVALID_INPUT", client.call("counters/bump", {"by": "one"}))
        same((await client.call("counters/read"))["bumped"], before)


@case("37", "access control comes before the schema")
async def forbidden_first(node):
    async with await node.connect() as client:
        await fails("FORBIDDEN", client.call("files/read", {"path": 42}))


@case("38", "a declared error with details (E8)")
async def declared(node):
    async with await node.connect() as client:
        read = client.call("files/read", {"path": "/no/such"}, auth_token=node.tokens["files"])
        error = await fails("FILE_NOT_FOUND", read)
        same(error.payload, {"code": "FILE_NOT_FOUND", "message": "no such file", "retryable": False,
                             "details": {"path": "/no/such"}})


@case("39", "a declared error without details has no such member")
async def declared_bare(node):
    async with await node.connect() as client:
        read = client.call("files/read", {"path": "/no/details"}, auth_token=node.tokens["files"])
        assert "details" not in (await fails("FILE_NOT_FOUND", read)).payload


@case("40", "an undeclared structured error (E9)")
async def undeclared(node):
    async with await node.connect() as client:
        error = await fails("INTERNAL", client.call("fail/undeclared"))
        same(error.payload, {"code": "INTERNAL", "message": "disk quota reached", "retryable": False,
                             "details": {"code": "QUOTA", "details": {"limit": 1048576}}})


@case("41", "the text of a thrown Error stays at home")
async def thrown(node):
    async with await node.connect() as client:
        error = await fails("INTERNAL", client.call("fail/throw"))
        assert "hunter2" not in json.dumps(error.payload)
        same(error.retryable, False)


@case("42", "what is thrown and no error is INTERNAL")
async def thrown_value(node):
    async with await node.connect() as client:
        for name in ("fail/value", "fail/undefined"):
            error = await fails("INTERNAL", client.call(name))
            assert "hunter2" not in json.dumps(error.payload)


@case("45", "a handler that throws leaves the others alone")
async def isolation(node):
    async with await node.connect() as client:
        request_id, queue = await client.request("gate/wait", input={"gate": "g45"})
        await fails("INTERNAL", client.call("fail/throw"))
        await client.call("gate/open", {"gate": "g45"})
        same(await client.answer(request_id, queue), "opened")


@case("46", "error_schemas of an operation without errors")
async def no_errors(node):
    async with await node.connect() as client:
        same((await client.call("services/schema", {"name": "math/add"}))["error_schemas"], [])


# Identity and access control


@case("49", "no identity, no restriction: served")
async def unrestricted(node):
    async with await node.connect() as client:
        same((await client.call("echo/input", 1))["identity"], None)


@case("50", "no identity, restricted (E6)")
async def no_identity(node):
    async with await node.connect() as client:
        error = await fails("FORBIDDEN", client.call("notes/create", {"title": "x"}))
        same(error.message, "authentication required")


@case("51", "a token is an identity for its request (E3), and (52) for no other")
async def token(node):
    async with await node.connect() as client:
        note = await client.call("notes/create", {"title": "List", "body": "milk"}, auth_token=node.tokens["notes"])
        same(note["noteId"], "n-204")
        await fails("FORBIDDEN", client.call("notes/create", {"title": "x"}))


@case("53", "two requests in flight with different tokens")
async def two_tokens(node):
    async with await node.connect() as client:
        started = [await client.request("identity/wait", input={"gate": "g53"}, auth_token=node.tokens[name])
                   for name in ("notes", "files")]
        await client.call("gate/open", {"gate": "g53"})
        found = [(await client.answer(*each))["scopes"] for each in started]
        same(found, [["notes:write"], ["files:read"]])


@case("54", "a wrong token leaves the identity of the connection")
async def wrong_token(node):
    async with await node.connect(known=True) as client:
        same(await client.call("restricted/a", auth_token="alk_" + "x" * 43), "peer")


@case("55", "a valid token replaces the identity of the connection")
async def replacing_token(node):
    async with await node.connect(known=True) as client:
        same(await client.call("restricted/a"), "peer")
        await fails("FORBIDDEN", client.call("restricted/a", auth_token=node.tokens["notes"]))


@case("56", "a token that was revoked between two requests")
async def revoked(node):
    async with await node.connect() as client:
        same((await client.call("echo/input", auth_token=node.tokens["fleeting"]))["identity"]["id"], "fleeting")
        await client.call("control/revoke", {"name": "fleeting"}, auth_token=node.tokens["admin"])
        same((await client.call("echo/input", auth_token=node.tokens["fleeting"]))["identity"], None)


@case("57", "an auth_token that is no string is ignored")
async def odd_token(node):
    async with await node.connect(known=True) as client:
        for odd in (7, {"token": "x"}, [], True):
            same(await client.call("restricted/a", auth_token=odd), "peer")


@case("69", "forwarded_for is no authority")
async def forwarded(node):
    async with await node.connect() as client:
        claim = {"id": "mara", "scopes": ["admin"], "resources": {}}
        await fails("FORBIDDEN", client.call("control/revoke", {"name": "x"}, forwarded_for=claim))
        same((await client.call("echo/input", forwarded_for=claim))["forwarded_for"], claim)


@case("70", "a malformed forwarded_for is ignored")
async def malformed_forwarded(node):
    async with await node.connect() as client:
        for claim in ("mara", {"id": 1, "scopes": [], "resources": {}}, {"id": "m", "scopes": "all", "resources": {}},
                      {"id": "m", "scopes": [], "resources": {"x": "y"}}, {"id": "m"}, []):
            same((await client.call("echo/input", forwarded_for=claim))["forwarded_for"], None)


@case("72", "a token is in the frame of its request and nowhere else")
async def token_traffic(node):
    async with await node.connect() as client:
        token = node.tokens["notes"]
        await client.call("notes/create", {"title": "x"}, auth_token=token)
        await fails("INVALID_INPUT", client.call("notes/create", {"title": 1}, auth_token=token))
        await fails("INTERNAL", client.call("fail/throw", auth_token=token))
        assert token not in json.dumps(client.received)


# Subscriptions


@case("73", "three values and the end (E11)")
async def three_values(node):
    async with await node.connect() as client:
        request_id, queue = await client.request("log/follow", input={"lines": 3})
        events = [await queue.get() for _ in range(4)]
        same([event["type"] for event in events], ["call.responded"] * 3 + ["call.completed"])
        same([event["payload"]["output"]["line"] for event in events[:3]], [0, 1, 2])
        await alive(client)
        same(len(client.answers_to(request_id)), 4)


@case("74", "no value: the end alone")
async def no_values(node):
    async with await node.connect() as client:
        request_id, _ = await client.request("log/follow", input={"lines": 0})
        await alive(client)
        await client.arrived(lambda event: event["id"] == request_id)
        same([event["type"] for event in client.answers_to(request_id)], ["call.completed"])


@case("75", "a value, then a declared error (E13)")
async def failing_stream(node):
    async with await node.connect() as client:
        open_before = (await client.call("counters/read"))["open"]
        request_id, _ = await client.request("log/follow", input={"lines": 1, "fail": True})
        await client.arrived(lambda event: event["id"] == request_id and event["type"] == "call.error")
        await alive(client)
        events = client.answers_to(request_id)
        same([event["type"] for event in events], ["call.responded", "call.error"])
        same(events[1]["payload"], {"code": "SOURCE_LOST", "message": "upstream gone", "retryable": True,
                                    "details": {"after": 1}})
        same((await client.call("counters/read"))["open"], open_before)


@case("76", "the caller aborts (E12), (83) on the same stream")
async def aborted_stream(node):
    async with await node.connect() as client:
        request_id, queue = await client.request("log/forever")
        await queue.get()
        await client.abort(request_id)
        await client.call("counters/quiet", {"open": 0})
        seen = len(client.answers_to(request_id))
        await alive(client)
        same(len(client.answers_to(request_id)), seen)
        same({event["type"] for event in client.answers_to(request_id)}, {"call.responded"})


@case("77", "leaving the loop aborts")
async def left_loop(node):
    async with await node.connect() as client:
        stream = client.subscribe("log/forever")
        async for _ in stream:
            break
        await stream.aclose()
        await client.call("counters/quiet", {"open": 0})


@case("79", "a connection lost in the middle of a subscription")
async def lost_subscription(node):
    client = await node.connect()
    stream = client.subscribe("log/forever")
    await anext(stream)
    client.wire.cut()
    error = None
    try:
        async for _ in stream:
            pass
    except CallError as raised:
        error = raised
    same((error.code, error.message), ("INTERNAL", "connection closed"))
    await client.close()
    async with await node.connect() as watcher:
        await watcher.call("counters/quiet", {"open": 0})


@case("82", "other requests are answered between the values of a subscription")
async def between_values(node):
    async with await node.connect() as client:
        request_id, queue = await client.request("log/forever")
        for _ in range(20):
            await queue.get()
            await alive(client)
        await client.abort(request_id)


# Time limits and abort


@case("87", "timeout_ms of the caller")
async def time_limit(node):
    async with await node.connect() as client:
        error = await fails("TIMEOUT", client.call("gate/wait", {"gate": "g87"}, timeout_ms=50))
        same((error.retryable, error.message), (True, "request timed out"))
        stream = client.subscribe("log/silent", timeout_ms=50)
        await fails("TIMEOUT", anext(stream))


@case("88", "a timeout_ms that is none is ignored")
async def odd_time_limit(node):
    async with await node.connect() as client:
        for limit in (0, -1, 1.5, "5", None, True):
            same(await client.call("math/add", {"a": 1, "b": 1}, timeout_ms=limit), 2)


@case("89", "abort of a running query")
async def aborted_query(node):
    async with await node.connect() as client:
        before = (await client.call("counters/read"))["aborted"]
        request_id, _ = await client.request("gate/wait", input={"gate": "g89"})
        await client.abort(request_id)
        await client.call("counters/quiet", {"aborted": before + 1})
        await client.call("gate/open", {"gate": "g89"})
        await alive(client)
        same(client.answers_to(request_id), [])


@case("97", "abort of an id that was answered")
async def late_abort(node):
    async with await node.connect() as client:
        request_id, queue = await client.request("math/add", input={"a": 1, "b": 1})
        same(await client.answer(request_id, queue), 2)
        await client.abort(request_id)
        await alive(client)
        same(len(client.answers_to(request_id)), 1)


@case("99", "the end of the sending direction after a request: it is answered")
async def half_closed(node):
    client = await node.connect()
    request_id, queue = await client.request("math/slow", input={"turns": 50})
    await client.wire.half_close()
    same(await client.answer(request_id, queue), "done")
    await client.closed
    await client.close()


@case("100", "a connection lost with 10 000 requests and subscriptions in flight")
async def lost_with_many(node):
    async with await node.connect() as watcher:
        before = (await watcher.call("counters/read"))["aborted"]
        client = await node.connect()
        frames = []
        for n in range(5000):
            frames.append(requested(f"q{n}", "/gate/wait", input={"gate": "g100"}))
            frames.append(requested(f"s{n}", "/log/silent", input={}))
        await client.wire.send(b"".join(frames))
        await watcher.call("counters/quiet", {"open": 5000})
        client.wire.cut()
        await client.close()
        await watcher.call("counters/quiet", {"open": 0, "aborted": before + 5000})


# Connections and direction


@case("101", "the accepting side calls the dialling side (E15)")
async def called_back(node):
    async def status(call_input):
        return {"busy": False, "asked": call_input}

    async with await node.connect({"worker/status": status}) as client:
        same(await client.call("worker/ask", {"input": 7}), {"busy": False, "asked": 7})


@case("102", "calls in both directions at once on one stream")
async def both_ways(node):
    async def status(call_input):
        return call_input

    async with await node.connect({"worker/status": status}) as client:
        calls = [client.call("worker/ask", {"input": n}) if n % 2 else client.call("math/add", {"a": n, "b": 0})
                 for n in range(400)]
        same(await asyncio.gather(*calls), list(range(400)))


@case("104", "a handler that calls back before it answers: no deadlock")
async def ping_pong(node):
    async with await node.connect() as client:
        async def status(depth):
            return depth if depth == 0 else await client.call("worker/ask", {"input": depth - 1})

        client.operations["worker/status"] = status
        same(await client.call("worker/ask", {"input": 20}), 0)


@case("106", "a batch is answered in any order, each once (E14)")
async def batch(node):
    async with await node.connect() as client:
        slow, first, second = client.begin("b1"), client.begin("b2"), client.begin("b3")
        await client.wire.send(
            requested("b1", "/gate/wait", input={"gate": "g106"})
            + requested("b2", "/math/add", input={"a": 2, "b": 3})
            + requested("b3", "/math/add", input={"a": 1, "b": 1}))
        same((await client.answer("b2", first), await client.answer("b3", second)), (5, 2))
        await client.call("gate/open", {"gate": "g106"})
        same(await client.answer("b1", slow), "opened")
        same([len(client.answers_to(name)) for name in ("b1", "b2", "b3")], [1, 1, 1])


@case("107", "a full table refuses the next request and goes on reading")
async def full_table(node):
    async def status(_):
        return "free"

    small = Node({**node.__dict__, **node.small})
    async with await small.connect({"worker/status": status}) as client:
        waiting = [await client.request("gate/wait", input={"gate": "g107"}) for _ in range(small.table - 1)]
        asking = await client.request("worker/ask-later", input={"gate": "g107b"})
        error = await fails("INTERNAL", client.call("math/add", {"a": 1, "b": 1}))
        same((error.message, error.retryable), ("too many requests in flight", True))
        async with await small.connect() as other:
            await other.call("gate/open", {"gate": "g107b"})
            same(await client.answer(*asking), "free")
            await other.call("gate/open", {"gate": "g107"})
        for each in waiting:
            same(await client.answer(*each), "opened")
        await alive(client)


# Discovery


async def listed(client, **payload):
    listing = (await client.call("services/list", {}, **payload))["operations"]
    return {entry["name"]: entry for entry in listing}


@case("108", "services/list without identity")
async def list_anonymous(node):
    async with await node.connect() as client:
        entries = await listed(client)
        for name in ("services/list", "services/schema", "services/list-peers", "math/add"):
            same(entries[name], {"name": name, "namespace": name.split("/")[0], "op_type": "query"})
        same(entries["log/follow"]["op_type"], "subscription")
        assert not {"files/read", "notes/create", "notes/reindex", "control/revoke"} & set(entries), entries


@case("109", "services/list with a scope")
async def list_with_scope(node):
    async with await node.connect() as client:
        more = set(await listed(client, auth_token=node.tokens["files"])) - set(await listed(client))
        same(more, {"files/read"})


@case("110", "services/schema of a permitted operation (E17), (111) with and without the slash")
async def schema(node):
    async with await node.connect() as client:
        spec = await client.call("services/schema", {"name": "files/read"}, auth_token=node.tokens["files"])
        same(set(spec), {"name", "namespace", "op_type", "visibility", "input_schema", "output_schema",
                         "error_schemas", "access_control"})
        same((spec["name"], spec["namespace"], spec["op_type"], spec["visibility"]),
             ("files/read", "files", "query", "external"))
        same(spec["access_control"], {"required_scopes": ["files:read"], "required_scopes_any": None,
                                      "resource_type": None, "resource_action": None})
        same([set(error) for error in spec["error_schemas"]], [{"code", "description", "schema", "http_status"}])
        slashed = await client.call("services/schema", {"name": "/files/read"}, auth_token=node.tokens["files"])
        same(slashed, spec)


@case("112", "services/schema without a name")
async def schema_without_name(node):
    async with await node.connect() as client:
        for wrong in ({}, {"name": 7}, None, "files/read"):
            await fails("INVALID_INPUT", client.call("services/schema", wrong))


@case("113", "services/schema of what may not be seen")
async def schema_hidden(node):
    async with await node.connect() as client:
        await fails("NOT_FOUND", client.call("services/schema", {"name": "notes/reindex"}))
        await fails("NOT_FOUND", client.call("services/schema", {"name": "no/such"}))
        await fails("FORBIDDEN", client.call("services/schema", {"name": "files/read"}))


async def run(node, row, name, body):
    result = {"row": row, "name": name, "ok": True}
    try:
        await asyncio.wait_for(body(node), CASE_DEADLINE)
    except Exception:
        result.update(ok=False, error=traceback.format_exc(limit=-4))
    print(json.dumps(result), flush=True)


async def main():
    node = Node(json.loads(sys.stdin.readline()))
    only = sys.argv[1:]
    for row, name, body in CASES:
        if not only or row in only:
            await run(node, row, name, body)
    print(json.dumps({"done": len(CASES)}), flush=True)


asyncio.run(main())
