@0xb6d4f2a1c97e3058;
# Asking a Demarche store from another process or machine: the protocol and its manual.
#
#   login -> Reader -> Snapshot -> Actor, ActorSet, Interaction, InteractionSet
#                               -> query: typed batches of rows, pushed into your sink
#
# In short. The bootstrap capability offers `login` and nothing else. It gives a Reader, Writer or Admin, each a capability
# of its own: a Reader has no method that writes. Everything is read from a Snapshot, one fixed state of the store. Sets are
# descriptions: making one costs nothing and reads nothing, and only `count`, `page`, `lines` and `get` evaluate it, all of it
# at once. So a chain is sent without waiting for answers, one round trip whatever its length:
#
#   login(token).session.snapshot().snapshot.actor("john-kerry").actor
#     .contacts(before walkout).set.counterparts().set.contacts(before walkout).set.page(limit = 100)
#
# Outcomes. What a client can mend comes back in band: every method that evaluates has a `refusal`, null when the call did
# what was asked, and else the other results mean nothing. A mistake within a chain (an unknown actor, a date that is none)
# shows where the chain is evaluated. Exceptions are for faults: FAILED for a damaged store and revoked tokens, OVERLOADED when the
# server has no room now, DISCONNECTED.
#
# Cancelling. Drop a call and its query stops within a batch of rows; drop the connection and all of them do. Let go of
# capabilities that are not needed: a session may hold some thousands.
#
# Limits are the server's: seconds, rows held and bytes of a query; connections; bytes of calls without an answer. A client
# may ask for less. Requests may be nested 64 levels and be 8 MiB long; answers are cut into messages of about 256 KiB.
#
# Words. All text is UTF-8. Times are signed seconds since 1970-01-01T00:00:00Z, the int64 extremes standing for infinity; dates are EDTF
# texts as recorded. Ids are stable within a store and 0 is never one. Fields are added at the end, never renumbered, never reused.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("demarche::proto::wire");

# ---- getting in ------------------------------------------------------------------------------------------------------

interface Bootstrap {
  login @0 (token :Text, client :Text) -> (refusal :Refusal, session :Reader, role :Access);
  # `token` as `demarche token create` printed it; empty on a Unix socket whose owner asks and for which no token was demanded.
  # `client` names the program, for the server's log. `session` is a Writer or an Admin if `role` says so. If refused, `session` is
  # broken and what was pipelined on it fails with the same words. After five refusals the connection is closed.
}

enum Access { reader @0; writer @1; admin @2; }

struct Refusal {
  code @0 :Code;
  message @1 :Text;    # what happened, where, what to do
  fault @2 :Fault;     # of a query's text, else null
  enum Code {
    invalidArgument @0;  # the request is wrong: repeating it fails again
    notFound @1;         # a named actor, kind or interaction is absent
    conflict @2;         # another writer came first
    overloaded @3;       # retry later, not at once
    corruption @4;       # never in band
    io @5;               # never in band
    outcomeUnknown @6;   # a commit failed half-way: ask with the same commit id
    limit @7;            # time, rows or bytes: narrow the query
    cancelled @8;
    denied @9;           # this capability may not do that
  }
}

struct Fault {
  type @0 :Text;         # "SyntaxError", ...
  phase @1 :Text;        # "compile time" or "runtime"
  detail @2 :Text;
  offset @3 :UInt64;     # bytes of the query's text
  length @4 :UInt64;
  hasPosition @5 :Bool;
}

interface Reader {
  snapshot @0 (at :Instant) -> (snapshot :Snapshot, refusal :Refusal);
  # The newest state, or the one that a commit or an instant left. Stays as it is while it is held.
  server @1 () -> (version :Text, role :Access, limits :Limits);
}

struct Instant {
  union {
    latest @0 :Void;
    commit @1 :UInt64;
    timeMicros @2 :Int64;  # UTC since 1970: the last commit at or before
    text @3 :Text;         # as FOR SYSTEM_TIME AS OF reads it: "2016-05-01" (its end, UTC), "commit 12"
  }
}

struct Limits {
  querySeconds @0 :UInt32;
  queryRowsHeld @1 :UInt64;  # kept at once by sorting, grouping, DISTINCT
  queryBytes @2 :UInt64;     # text and parameters
  rowBytes @3 :UInt64;       # one row of an answer
  setRows @4 :UInt64;        # members of a set while it is evaluated
  importBytes @5 :UInt64;
}

# ---- a fixed state ---------------------------------------------------------------------------------------------------

interface Snapshot {
  describe @0 () -> (refusal :Refusal, info :SnapshotInfo);

  actor @1 (name :Text) -> (actor :Actor);          # by key, or by a name that only one has
  actorById @2 (id :UInt64) -> (actor :Actor);
  actors @3 (label :Text) -> (set :ActorSet);       # all with a label; "": all
  interaction @4 (key :Text) -> (interaction :Interaction);
  interactionById @5 (id :UInt64) -> (interaction :Interaction);
  interactions @6 (filter :Filter) -> (set :InteractionSet);

  query @7 (text :Text, parameters :List(Parameter), sink :RowSink, secondsMax :UInt32) -> QueryOutcome;
  # Runs one statement of the query language that does not write. Rows are pushed into `sink` as they are made, no faster than it takes them; the last ones
  # come with the outcome, so that a small answer needs no sink at all (a larger one without is refused). secondsMax 0: the server's.
  explain @8 (text :Text) -> (refusal :Refusal, plan :Text);

  records @9 (actors :List(UInt64), interactions :List(UInt64), sources :List(UInt64), around :Bool)
    -> (refusal :Refusal, records :Records);
  # `around`: also the participants and sources of the interactions, the offices of the participants, and what they name.
  # At most 10000 ids. What is not there is left out.
  find @10 (interactionKeys :List(Text), sourceKeys :List(Text), actorNames :List(Text))
    -> (refusal :Refusal, interactions :List(UInt64), sources :List(UInt64), actors :List(UInt64), nearest :List(Text));
  # In the order asked, 0 for what is not there. Actors as in actor(), but an ambiguous or unknown one refuses the whole.
  # nearest: for each interaction key that is not there, one like it, or "".
  names @11 (prefix :Text, limit :UInt32) -> (refusal :Refusal, matches :List(NameMatch));

  before @12 (time :Bounds, except :UInt64, certainOnly :Bool, notHeld :Bool, actors :List(UInt64))
    -> (refusal :Refusal, contacts :List(ContactBefore), records :Records);
  # Who spoke with whom before it, and the records around. `except`: the interaction whose date `time` is. `actors`: none, anybody's
  # contacts; one, its contacts; two, theirs with one another. At most 100000.
  path @13 (from :UInt64, to :UInt64, options :Chronology) -> (refusal :Refusal, arrival :Arrival, records :Records);
  # The earliest arrival of word; `arrival` is null if there is none.
  kindCounts @14 () -> (refusal :Refusal, counts :List(KindCount), undated :UInt64, diskBytes :UInt64);
}

struct SnapshotInfo {
  commit @0 :UInt64;
  commitTimeMicros @1 :Int64;
  commitTimeStated @2 :Bool;
  actors @3 :UInt64;
  interactions @4 :UInt64;
  sources @5 :UInt64;
  kinds @6 :List(Kind);  # parents first
}

struct Kind {
  id @0 :UInt32;
  parent @1 :UInt32;
  name @2 :Text;
  cameo @3 :Text;
  plover @4 :Text;
}

# ---- sets ------------------------------------------------------------------------------------------------------------

interface ActorSet {
  contacts @0 (filter :Filter) -> (set :InteractionSet);
  # Interactions in which a member was in contact with somebody. The set remembers whose contacts it holds: see counterparts.
  # No kinds given: CONTACT and all below.
  interactions @1 (filter :Filter) -> (set :InteractionSet);   # in which a member took part
  reach @2 (options :Chronology) -> (set :ActorSet);           # whom word from a member could have reached; members not counted
  withLabel @3 (label :Text) -> (set :ActorSet);
  combine @4 (operation :SetOperation, other :ActorSet) -> (set :ActorSet);
  # `other` must come from the same connection; sets of different snapshots are combined by id.
  count @5 () -> (refusal :Refusal, count :UInt64);
  page @6 (after :UInt64, limit :UInt32, records :Bool) -> (refusal :Refusal, ids :List(UInt64), more :Bool, records :Records);
  # Members with ids above `after`, ascending, at most `limit` (0, and at most: 10000; with records 1000).
}

interface Actor extends(ActorSet) {
  get @0 () -> (refusal :Refusal, actor :ActorRecord);
}

interface InteractionSet {
  only @0 (filter :Filter) -> (set :InteractionSet);
  counterparts @1 () -> (set :ActorSet);
  # Of contacts(): those in contact with a member of the set it began with. Of others: all that were in contact with anybody.
  participants @2 (roles :List(ParticipantRole)) -> (set :ActorSet);  # no roles: whatever the role
  combine @3 (operation :SetOperation, other :InteractionSet) -> (set :InteractionSet);
  count @4 () -> (refusal :Refusal, count :UInt64);
  page @5 (after :UInt64, limit :UInt32, records :Bool) -> (refusal :Refusal, ids :List(UInt64), more :Bool, records :Records);
  lines @6 (sink :LineSink) -> (refusal :Refusal, batches :UInt64, lines :UInt64);
  # Every pair in contact within every member as columns, in no order. For whole stores: millions of lines a second.
}

interface Interaction extends(InteractionSet) {
  get @0 () -> (refusal :Refusal, interaction :InteractionRecord, records :Records);
}

enum SetOperation { union @0; intersection @1; difference @2; }

struct Filter {
  # Each that is given must hold. Time: `certain` keeps what holds under every reading of the dates, `possible` under some.
  kinds @0 :List(Text);   # names; a kind stands for all below it
  before @1 :Moment;
  after @2 :Moment;
  during @3 :Moment;
  overlaps @4 :Moment;
  certainty @5 :Certainty;
  roles @6 :List(ParticipantRole);  # of contacts() and interactions(): the member had one of these
  status @7 :StatusFilter;
  enum Certainty { certain @0; possible @1; }
  enum StatusFilter { held @0; notHeld @1; any @2; }  # held: also those that state no status
}

struct Moment {
  union {
    none @0 :Void;
    date @1 :Text;         # EDTF; a plain year, month or day is the whole period
    interaction @2 :Text;  # the date of the interaction with this key
  }
}

struct Chronology {
  mode @0 :Mode;
  kinds @1 :List(Text);     # none: CONTACT and all below
  after @2 :Moment;
  before @3 :Moment;
  hopsMax @4 :UInt32;       # 0: any number
  beforeBounds @5 :Bounds;  # instead of `before`, if not null
  enum Mode { default @0; strict @1; possibly @2; }
}

struct Arrival {
  actor @0 :UInt64;
  earliest @1 :Int64;
  latest @2 :Int64;
  hops @3 :UInt32;
  path @4 :List(Hop);
  struct Hop { interaction @0 :UInt64; from @1 :UInt64; to @2 :UInt64; }
}

struct ContactBefore {
  interaction @0 :UInt64;
  precedence @1 :Precedence;
  bounds @2 :Bounds;
  enum Precedence { certain @0; underWay @1; possible @2; }
}

struct NameMatch { actor @0 :UInt64; normalForm @1 :Text; preferred @2 :Bool; }

struct KindCount { kind @0 :UInt32; count @1 :UInt64; first @2 :Int64; last @3 :Int64; }

interface LineSink { lines @0 (batch :LineBatch) -> stream; }

struct LineBatch {
  # One entry a line in each column.
  interaction @0 :List(UInt64);
  actor @1 :List(UInt64);
  other @2 :List(UInt64);
  begin @3 :List(Int64);   # earliest begin, seconds
  kind @4 :List(UInt32);   # SnapshotInfo.kinds says what it is
}

# ---- rows of a query -------------------------------------------------------------------------------------------------

interface RowSink { rows @0 (columns :List(Text), batch :Batch) -> stream; }

struct QueryOutcome {
  refusal @0 :Refusal;    # rows that came before it are to be thrown away
  columns @1 :List(Text);
  notices @2 :List(Text); # for people
  batches @3 :UInt64;     # that went into the sink
  last @4 :Batch;         # those after them
  commit @5 :UInt64;      # the state the answer is about
  changes @6 :Changes;    # of a statement that writes, else null
}

struct Changes {
  actorsCreated @0 :UInt64;
  interactionsCreated @1 :UInt64;
  actorsChanged @2 :UInt64;
  interactionsChanged @3 :UInt64;
  actorsDeleted @4 :UInt64;
  interactionsDeleted @5 :UInt64;
  commit @6 :UInt64;      # 0: nothing was written
}

struct Batch { rows @0 :UInt32; columns @1 :List(Column); }

struct Column {
  # Typed if all values of the batch's column are of one type, and none null.
  union {
    values @0 :List(Value);
    booleans @1 :List(Bool);
    integers @2 :List(Int64);
    floats @3 :List(Float64);
    texts @4 :List(Text);
    dates @5 :List(Date);
    actors @6 :List(UInt64);
    interactions @7 :List(UInt64);
  }
}

struct Parameter { name @0 :Text; value @1 :Value; }

struct Value {
  union {
    null @0 :Void;
    boolean @1 :Bool;
    integer @2 :Int64;
    float @3 :Float64;
    text @4 :Text;
    date @5 :Date;
    time @6 :TimeText;
    list @7 :List(Value);
    map @8 :List(Entry);     # keys ascending, each once
    actor @9 :UInt64;
    interaction @10 :UInt64;
    path @11 :Path;
  }
  struct Entry { key @0 :Text; value @1 :Value; }
}

struct TimeText {
  form @0 :Form;
  iso @1 :Text;  # ISO 8601
  enum Form { day @0; localTime @1; time @2; localDateTime @3; dateTime @4; duration @5; }
}

struct Date {
  text @0 :Text;      # EDTF as written
  bounds @1 :Bounds;  # null in parameters: the server reads the text
  period @2 :Bounds;  # what it means in a predicate; null if the same
  owner @3 :UInt64;   # the interaction whose date it is, or 0
}

struct Path {
  # Alternating: one more actor than interactions.
  actors @0 :List(UInt64);
  interactions @1 :List(UInt64);
  arrival @2 :Date;
}

struct Bounds {
  # Begin and end each lie between two instants, both included; see docs/dates.md.
  isSpan @0 :Bool;
  qualified @1 :Bool;
  hasGaps @2 :Bool;
  fineBegin @3 :Bool;
  fineEnd @4 :Bool;
  beginMin @5 :Int64;
  beginMax @6 :Int64;
  endMin @7 :Int64;
  endMax @8 :Int64;
}

# ---- records ---------------------------------------------------------------------------------------------------------

struct Records {
  actors @0 :List(ActorRecord);
  interactions @1 :List(InteractionRecord);
  sources @2 :List(SourceRecord);
  offices @3 :List(Offices);
  struct Offices { actor @0 :UInt64; interactions @1 :List(UInt64); }  # in which the actor holds an office
}

struct ActorRecord {
  id @0 :UInt64;
  key @1 :Text;
  name @2 :Text;
  labels @3 :List(Text);
  aliases @4 :List(Text);
  properties @5 :List(Value.Entry);
}

enum ParticipantRole {
  # The numbers of engine/model.h.
  none @0; participant @1; principal @2; counterpart @3; mediator @4; delegation @5; caller @6; callee @7; visitor @8; host @9;
  announcer @10; speaker @11; addressee @12; about @13; sponsor @14; reporter @15; walkedOut @16; forum @17; represented @18;
  initiator @19; recipient @20; holder @21; member @22; body @23;
}

enum Status { none @0; held @1; planned @2; cancelled @3; }

struct When { text @0 :Text; bounds @1 :Bounds; }

struct InteractionRecord {
  id @0 :UInt64;
  row @1 :UInt64;
  key @2 :Text;
  kind @3 :Text;
  when @4 :When;          # null: undated
  participants @5 :List(Participant);
  status @6 :Status;
  place @7 :Text;
  partOf @8 :UInt64;      # 0: none
  properties @9 :List(Value.Entry);
  claims @10 :List(Claim);
  struct Participant { actor @0 :UInt64; role @1 :ParticipantRole; actingFor @2 :UInt64; }
}

struct Claim {
  source @0 :UInt64;
  locator @1 :Text;
  words @2 :Text;
  published @3 :When;
  when @4 :When;
  status @5 :Status;
  note @6 :Text;
}

struct SourceRecord {
  id @0 :UInt64;
  key @1 :Text;
  title @2 :Text;
  publisher @3 :Text;
  url @4 :Text;
  published @5 :When;
  grade @6 :Text;
  note @7 :Text;
}

# ---- writing ---------------------------------------------------------------------------------------------------------

interface Writer extends(Reader) {
  execute @0 (text :Text, parameters :List(Parameter), sink :RowSink, secondsMax :UInt32) -> QueryOutcome;
  # Any statement, at the newest state. One that writes is one commit: by the time of the outcome it is kept, or nothing has happened.
  record @1 (lines :Text, note :Text, commitId :Text) -> (refusal :Refusal, report :ImportReport);
  # JSON Lines as docs/import.md describes them, one commit. commitId, if not empty, makes it safe to ask again after an unknown outcome.
  import @2 (form :ImportForm, note :Text, commitId :Text) -> (upload :Upload);
}

enum ImportForm { jsonLines @0; }

interface Upload {
  # Let go of it and nothing has happened.
  write @0 (chunk :Data) -> stream;
  finish @1 () -> (refusal :Refusal, report :ImportReport);
}

struct ImportReport {
  lines @0 :UInt64;
  actors @1 :UInt64;
  interactions @2 :UInt64;
  sources @3 :UInt64;
  kinds @4 :UInt64;
  commit @5 :UInt64;
}

interface Admin extends(Writer) {
  statistics @0 () -> (connections :UInt32, sessions :List(SessionInfo), refused :UInt64, queries :UInt64, requestBytes :UInt64);
  checkpoint @1 () -> (refusal :Refusal, commit :UInt64);  # seals what is committed: the next opening is quick
  backup @2 () -> (refusal :Refusal, id :UInt32, commit :UInt64, bytes :UInt64);
  # Into the folder that the server was started with, and verified there.
}

struct SessionInfo {
  client @0 :Text;
  peer @1 :Text;
  token @2 :Text;     # its public id
  role @3 :Access;
  seconds @4 :UInt64; # since login
}
