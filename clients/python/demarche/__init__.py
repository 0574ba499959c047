"""Asking a Demarche server from Python, over Cap'n Proto.

    import asyncio, demarche
    from demarche import of

    async def main():
        async with demarche.connect("demarche+unix:talks.sock") as session:
            state = await session.snapshot()
            walkout = of("hnc-walkout")
            page = await (state.actor("john-kerry").contacts(before=walkout)
                          .counterparts().contacts(before=walkout).page(limit=20, records=True))
            for contact in page.records:
                print(contact.when, contact.kind, contact.place)
            async for name, when in session.query("MATCH (a)-[c:CALL]-(b) RETURN a.name, c.when LIMIT 5"):
                print(name, when)

    demarche.run(main())

Sets (Actors, Interactions) are descriptions: nothing is asked before count(), page() or lines(), and then the whole
chain is one round trip. Needs pycapnp 2; pandas and networkx only for to_pandas() and to_networkx().
"""

import asyncio
import contextlib
import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import capnp

__all__ = ["connect", "run", "of", "date", "Refused", "Session", "Snapshot", "Actors", "Interactions", "Rows", "Date",
           "Actor", "Interaction", "Participant", "Source", "Claim", "ActorId", "InteractionId", "PathValue", "Page"]


def _load_schema():
    here = Path(__file__).resolve()
    named = os.environ.get("DEMARCHE_SCHEMA")
    places = [Path(named)] if named else [here.parent / "demarche.capnp", here.parents[3] / "proto" / "demarche.capnp"]
    for place in places:
        if place.is_file():
            return capnp.load(str(place), imports=[str(Path(capnp.__file__).parent), "/usr/include"])
    raise ImportError("demarche.capnp not found; say where it is in DEMARCHE_SCHEMA")


wire = _load_schema()


class Refused(Exception):
    """What the server says of a question that its author can mend. `code` is a word: notFound, limit, denied, ..."""

    def __init__(self, refusal):
        super().__init__(refusal.message)
        self.code = str(refusal.code)
        self.position = None
        if refusal._has("fault") and refusal.fault.hasPosition:
            self.position = (refusal.fault.offset, refusal.fault.length)


def _checked(response):
    if response._has("refusal"):
        raise Refused(response.refusal)
    return response


# ---- values ----------------------------------------------------------------------------------------------------------

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class Date:
    """A date as recorded: its text, and between which instants (seconds, UTC since 1970; None: no bound) it lies."""

    text: str
    earliest: int | None = None
    latest: int | None = None

    def __str__(self):
        return self.text


@dataclass(frozen=True)
class ActorId:
    id: int


@dataclass(frozen=True)
class InteractionId:
    id: int


@dataclass(frozen=True)
class PathValue:
    actors: tuple
    interactions: tuple
    arrival: Date | None = None


@dataclass(frozen=True)
class TimeText:
    form: str
    iso: str

    def __str__(self):
        return self.iso


@dataclass(frozen=True)
class Moment:
    date: str | None = None
    interaction: str | None = None


def date(edtf):
    """A date to compare with; a plain year, month or day is the whole period."""
    return Moment(date=edtf)


def of(key):
    """The date of the interaction with this key."""
    return Moment(interaction=key)


def _bound(seconds):
    return None if seconds in (_LOWEST, _HIGHEST) else seconds


def _read_date(d):
    return Date(d.text, _bound(d.bounds.beginMin), _bound(d.bounds.endMax))


def _read_value(v):
    kind = v.which()
    if kind == "null":
        return None
    if kind in ("boolean", "integer", "float", "text"):
        return getattr(v, kind)
    if kind == "date":
        return _read_date(v.date)
    if kind == "time":
        return TimeText(str(v.time.form), v.time.iso)
    if kind == "list":
        return [_read_value(item) for item in v.list]
    if kind == "map":
        return {entry.key: _read_value(entry.value) for entry in v.map}
    if kind == "actor":
        return ActorId(v.actor)
    if kind == "interaction":
        return InteractionId(v.interaction)
    if kind == "path":
        arrival = _read_date(v.path.arrival) if v.path._has("arrival") else None
        return PathValue(tuple(v.path.actors), tuple(v.path.interactions), arrival)
    raise ValueError(f"a value of the unknown type {kind}; the server is newer than this client")


def _write_value(v, out):
    if v is None:
        out.null = None
    elif isinstance(v, bool):
        out.boolean = v
    elif isinstance(v, int):
        out.integer = v
    elif isinstance(v, float):
        out.float = v
    elif isinstance(v, str):
        out.text = v
    elif isinstance(v, Date):
        out.init("date").text = v.text
    elif isinstance(v, Moment) and v.date is not None:
        out.init("date").text = v.date
    elif isinstance(v, TimeText):
        time = out.init("time")
        time.form, time.iso = v.form, v.iso
    elif isinstance(v, ActorId):
        out.actor = v.id
    elif isinstance(v, InteractionId):
        out.interaction = v.id
    elif isinstance(v, (list, tuple)):
        items = out.init("list", len(v))
        for i, item in enumerate(v):
            _write_value(item, items[i])
    elif isinstance(v, dict):
        entries = out.init("map", len(v))
        for i, key in enumerate(sorted(v)):
            entries[i].key = key
            _write_value(v[key], entries[i].init("value"))
    else:
        raise TypeError(f"a {type(v).__name__} cannot be a parameter")


def _read_column(column):
    kind = column.which()
    if kind == "values":
        return [_read_value(v) for v in column.values]
    if kind == "dates":
        return [_read_date(d) for d in column.dates]
    if kind == "actors":
        return [ActorId(i) for i in column.actors]
    if kind == "interactions":
        return [InteractionId(i) for i in column.interactions]
    return list(getattr(column, kind))


def _parameters(values):
    made = []
    for name, value in (values or {}).items():
        parameter = wire.Parameter.new_message(name=name)
        _write_value(value, parameter.init("value"))
        made.append(parameter)
    return made


# ---- records ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Participant:
    actor: int
    role: str
    acting_for: int | None = None


@dataclass(frozen=True)
class Claim:
    source: int
    locator: str
    words: str
    published: str | None
    when: str | None
    status: str
    note: str


@dataclass(frozen=True)
class Actor:
    id: int
    key: str
    name: str
    labels: tuple
    aliases: tuple
    properties: dict = field(hash=False, default_factory=dict)


@dataclass(frozen=True)
class Interaction:
    id: int
    key: str
    kind: str
    when: Date | None
    participants: tuple
    status: str
    place: str
    part_of: int | None
    properties: dict = field(hash=False, default_factory=dict)
    claims: tuple = ()


@dataclass(frozen=True)
class Source:
    id: int
    key: str
    title: str
    publisher: str
    url: str
    published: str | None
    grade: str
    note: str


def _read_actor(a):
    return Actor(a.id, a.key, a.name, tuple(a.labels), tuple(a.aliases),
                 {e.key: _read_value(e.value) for e in a.properties})


def _read_interaction(r):
    return Interaction(
        r.id, r.key, r.kind, _read_date(r.when) if r._has("when") else None,
        tuple(Participant(p.actor, str(p.role), p.actingFor or None) for p in r.participants),
        str(r.status), r.place, r.partOf or None, {e.key: _read_value(e.value) for e in r.properties},
        tuple(Claim(c.source, c.locator, c.words, c.published.text if c._has("published") else None,
                    c.when.text if c._has("when") else None, str(c.status), c.note) for c in r.claims))


def _read_source(s):
    return Source(s.id, s.key, s.title, s.publisher, s.url, s.published.text if s._has("published") else None, s.grade,
                  s.note)


# ---- sets ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """Part of a set: ids ascending, the records if they were asked for, and whether there are more."""

    ids: list
    records: list
    more: bool


def _moment(m):
    if isinstance(m, str):
        m = date(m)
    return {"date": m.date} if m.date is not None else {"interaction": m.interaction}


def _filter(kinds=(), before=None, after=None, during=None, overlaps=None, possible=False, roles=(), status="held"):
    out = {"kinds": list(kinds), "certainty": "possible" if possible else "certain", "roles": list(roles),
           "status": status}
    for name, moment in (("before", before), ("after", after), ("during", during), ("overlaps", overlaps)):
        if moment is not None:
            out[name] = _moment(moment)
    return out


class _Set:
    def __init__(self, capability):
        self._capability = capability

    async def count(self):
        return _checked(await self._capability.count()).count

    async def page(self, after=0, limit=0, records=False):
        r = _checked(await self._capability.page(after=after, limit=limit, records=records))
        return Page(list(r.ids), self._records(r.records) if records else [], r.more)

    async def ids(self):
        """All ids, page by page."""
        out, more = [], True
        while more:
            page = await self.page(after=out[-1] if out else 0)
            out += page.ids
            more = page.more
        return out

    def _combined(self, operation, other):
        return type(self)(self._capability.combine(operation=operation, other=other._capability).set)

    def __or__(self, other):
        return self._combined("union", other)

    def __and__(self, other):
        return self._combined("intersection", other)

    def __sub__(self, other):
        return self._combined("difference", other)


class Actors(_Set):
    """Some actors of one state. Filters: kinds, before, after, during, overlaps, possible, roles, status."""

    def contacts(self, **filters):
        return Interactions(self._capability.contacts(filter=_filter(**filters)).set)

    def interactions(self, **filters):
        return Interactions(self._capability.interactions(filter=_filter(**filters)).set)

    def reach(self, mode="default", kinds=(), after=None, before=None, hops_max=0):
        options = {"mode": mode, "kinds": list(kinds), "hopsMax": hops_max}
        if after is not None:
            options["after"] = _moment(after)
        if before is not None:
            options["before"] = _moment(before)
        return Actors(self._capability.reach(options=options).set)

    def with_label(self, label):
        return Actors(self._capability.withLabel(label=label).set)

    @staticmethod
    def _records(records):
        return [_read_actor(a) for a in records.actors]


class Interactions(_Set):
    def only(self, **filters):
        return Interactions(self._capability.only(filter=_filter(**filters)).set)

    def counterparts(self):
        return Actors(self._capability.counterparts().set)

    def participants(self, roles=()):
        return Actors(self._capability.participants(roles=list(roles)).set)

    @staticmethod
    def _records(records):
        return [_read_interaction(r) for r in records.interactions]

    async def lines(self):
        """Batches of contact as dictionaries of columns: interaction, actor, other, begin, kind (a number)."""
        sink = _Sink()
        async for batch in sink.stream(self._capability.lines(sink=_LineSink(sink))):
            yield batch

    async def to_pandas(self):
        """All lines as one pandas.DataFrame."""
        import pandas

        columns = {name: [] for name in ("interaction", "actor", "other", "begin", "kind")}
        async for batch in self.lines():
            for name, values in batch.items():
                columns[name] += values
        return pandas.DataFrame(columns)

    async def to_networkx(self):
        """A networkx.MultiGraph of actors' ids, an edge a line of contact with its interaction, begin and kind."""
        import networkx

        graph = networkx.MultiGraph()
        async for b in self.lines():
            for interaction, actor, other, begin, kind in zip(b["interaction"], b["actor"], b["other"], b["begin"],
                                                              b["kind"]):
                graph.add_edge(actor, other, interaction=interaction, begin=_bound(begin), kind=kind)
        return graph


# ---- what the server pushes ------------------------------------------------------------------------------------------


class _Sink:
    """Batches on their way: the server waits while four are not taken."""

    def __init__(self):
        self.queue = asyncio.Queue(maxsize=4)
        self.batches = 0
        self.columns = None
        self.outcome = None

    async def put(self, batch):
        await self.queue.put(batch)

    async def stream(self, call):
        taken = 0
        call = asyncio.ensure_future(self._wait(call))
        try:
            while True:
                get = asyncio.ensure_future(self.queue.get())
                await asyncio.wait({get, call} if not call.done() else {get}, return_when=asyncio.FIRST_COMPLETED,
                                   timeout=0 if call.done() and taken == self._expected(call) else None)
                if get.done():
                    taken += 1
                    yield get.result()
                    continue
                get.cancel()
                if call.done() and taken == self._expected(call):
                    return
        finally:
            call.cancel()  # dropping the call stops the statement

    async def _wait(self, call):
        self.outcome = _checked(await call)
        return self.outcome.batches

    @staticmethod
    def _expected(call):
        return call.result()  # raises what the call raised


class _LineSink(wire.LineSink.Server):
    def __init__(self, sink):
        self._sink = sink

    async def lines(self, batch, **_):
        await self._sink.put({name: list(getattr(batch, name))
                              for name in ("interaction", "actor", "other", "begin", "kind")})


class _RowSink(wire.RowSink.Server):
    def __init__(self, sink):
        self._sink = sink

    async def rows(self, columns, batch, **_):
        if self._sink.columns is None:
            self._sink.columns = list(columns)
        await self._sink.put([_read_column(column) for column in batch.columns])


class Rows:
    """The answer to a statement: an asynchronous iterator over tuples. `columns`, `notices` and `changes` are complete
    once it is at its end."""

    def __init__(self, call_with):
        self._sink = _Sink()
        self._call = call_with(_RowSink(self._sink))
        self.columns = []
        self.notices = []
        self.changes = None

    async def batches(self):
        """Lists of columns, each a list of values."""
        async for batch in self._sink.stream(self._call):
            self.columns = self._sink.columns
            yield batch
        outcome = self._sink.outcome
        self.columns = list(outcome.columns)
        self.notices = list(outcome.notices)
        if outcome._has("changes"):
            self.changes = outcome.changes.to_dict()
        if outcome.last.rows > 0:
            yield [_read_column(column) for column in outcome.last.columns]

    async def __aiter__(self):
        async for batch in self.batches():
            for row in zip(*batch):
                yield row

    async def all(self):
        return [row async for row in self]

    async def to_pandas(self):
        import pandas

        rows = await self.all()
        return pandas.DataFrame(rows, columns=self.columns)


# ---- sessions --------------------------------------------------------------------------------------------------------


class Snapshot:
    """One fixed state of the store."""

    def __init__(self, capability):
        self._capability = capability

    async def describe(self):
        return _checked(await self._capability.describe()).info.to_dict()

    def actor(self, name):
        """By key, or by a name that only one has; or by id."""
        if isinstance(name, int):
            return Actors(self._capability.actorById(id=name).actor)
        return Actors(self._capability.actor(name).actor)

    def actors(self, label=""):
        return Actors(self._capability.actors(label=label).set)

    def interaction(self, key):
        if isinstance(key, int):
            return Interactions(self._capability.interactionById(id=key).interaction)
        return Interactions(self._capability.interaction(key=key).interaction)

    def interactions(self, **filters):
        return Interactions(self._capability.interactions(filter=_filter(**filters)).set)

    def query(self, text, parameters=None, seconds_max=0):
        """Rows of a statement that does not write."""
        return Rows(lambda sink: self._capability.query(text=text, parameters=_parameters(parameters), sink=sink,
                                                        secondsMax=seconds_max))

    async def explain(self, text):
        return _checked(await self._capability.explain(text=text)).plan

    async def records(self, actors=(), interactions=(), sources=()):
        """Records by id: (actors, interactions, sources), each a dictionary."""
        r = _checked(await self._capability.records(actors=list(actors), interactions=list(interactions),
                                                    sources=list(sources), around=False)).records
        return ({a.id: _read_actor(a) for a in r.actors}, {i.id: _read_interaction(i) for i in r.interactions},
                {s.id: _read_source(s) for s in r.sources})


class Session:
    """A login. `access`: reader, writer or admin."""

    def __init__(self, capability, access):
        self._capability = capability
        self.access = access

    async def snapshot(self, as_of=None):
        """The newest state, or the one known then: "2016-05-01" (its end, UTC), a date-time, "commit 12"."""
        if as_of is None:
            return Snapshot(self._capability.snapshot(at={"latest": None}).snapshot)
        return Snapshot(_checked(await self._capability.snapshot(at={"text": as_of})).snapshot)

    def query(self, text, parameters=None, seconds_max=0):
        """Rows of a statement at the newest state."""
        state = self._capability.snapshot(at={"latest": None}).snapshot
        return Snapshot(state).query(text, parameters, seconds_max)

    def execute(self, text, parameters=None, seconds_max=0):
        """Rows of any statement; one that writes is one commit."""
        writer = self._capability.cast_as(wire.Writer)
        return Rows(lambda sink: writer.execute(text=text, parameters=_parameters(parameters), sink=sink,
                                                secondsMax=seconds_max))

    async def record(self, lines, note="", commit_id=""):
        """JSON Lines (docs/import.md) as one commit; with a commit_id it is safe to ask again."""
        writer = self._capability.cast_as(wire.Writer)
        return _checked(await writer.record(lines=lines, note=note, commitId=commit_id)).report.to_dict()


@contextlib.asynccontextmanager
async def connect(address, token="", ca_file=None, client="python"):
    """Logs in at demarche://HOST:PORT, demarche+tls://HOST:PORT or demarche+unix:PATH."""
    if address.startswith("demarche+unix:"):
        stream = await capnp.AsyncIoStream.create_unix_connection(path=address[len("demarche+unix:"):])
    elif address.startswith(("demarche://", "demarche+tls://")):
        scheme, place = address.split("://", 1)
        host, _, port = place.rstrip("/").rpartition(":")
        options = {}
        if scheme.endswith("tls"):
            options = {"ssl": ssl.create_default_context(cafile=ca_file), "server_hostname": host}
        stream = await capnp.AsyncIoStream.create_connection(host=host, port=int(port), **options)
    else:
        raise ValueError(f"'{address}' is no server; write demarche://HOST:PORT, demarche+tls://HOST:PORT or "
                         "demarche+unix:PATH")
    rpc = capnp.TwoPartyClient(stream, traversal_limit_in_words=2**23, nesting_limit=264)
    try:
        answer = _checked(await rpc.bootstrap().cast_as(wire.Bootstrap).login(token=token, client=client))
        yield Session(answer.session, str(answer.role))
    finally:
        rpc.close()
        stream.close()


def run(coroutine):
    """Like asyncio.run(), with the event loop that pycapnp needs."""
    return asyncio.run(capnp.run(coroutine))
