@0xd6c1f0b39a5e7a41;
# The stored form of values, format 1. FORMAT.md says under which keys. Fields are added at the end, never renumbered,
# never reused. All text is UTF-8. Times in seconds are UTC since 1970; the int64 extremes stand for infinity.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("demarche::impl::record");

struct Property {
  key @0 :Text;
  value @1 :PropertyValue;
}

struct PropertyValue {
  union {
    boolean @0 :Bool;
    integer @1 :Int64;
    float @2 :Float64;
    text @3 :Text;
    date @4 :Text;  # EDTF as written
    list @5 :List(PropertyValue);
    time @6 :TimeText;
  }
}

struct TimeText {
  form @0 :UInt8;  # TimeForm of engine/model.h
  iso @1 :Text;
}

struct Bounds {
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

struct When {
  text @0 :Text;  # EDTF as written
  bounds @1 :Bounds;
}

struct Actor {
  key @0 :Text;
  name @1 :Text;
  labels @2 :List(Text);
  aliases @3 :List(Text);
  properties @4 :List(Property);
}

struct Participant {
  actor @0 :UInt64;
  role @1 :UInt8;
  actingFor @2 :UInt64;  # 0: for nobody but itself
}

struct Claim {
  source @0 :UInt64;
  locator @1 :Text;
  words @2 :Text;
  published @3 :When;  # absent pointer: not stated
  when @4 :When;
  status @5 :UInt8;
  note @6 :Text;
}

struct Interaction {
  row @0 :UInt64;
  key @1 :Text;
  kind @2 :UInt32;
  when @3 :When;  # absent pointer: undated
  participants @4 :List(Participant);
  status @5 :UInt8;
  place @6 :Text;
  partOf @7 :UInt64;  # 0: of nothing
  properties @8 :List(Property);
  claims @9 :List(Claim);
}

struct Source {
  key @0 :Text;
  title @1 :Text;
  publisher @2 :Text;
  url @3 :Text;
  published @4 :When;
  grade @5 :Text;
  note @6 :Text;
}

struct Kind {
  parent @0 :UInt32;
  name @1 :Text;
  cameo @2 :Text;
  plover @3 :Text;
}

struct Commit {
  timeMicros @0 :Int64;  # UTC since 1970, not before the commit before
  firstRow @1 :UInt64;   # rows written by this commit: firstRow up to, not including, nextRow
  nextRow @2 :UInt64;
  nextActor @3 :UInt64;
  nextSource @4 :UInt64;
  actorCount @5 :UInt64;        # in the store after this commit
  interactionCount @6 :UInt64;
  sourceCount @7 :UInt64;
  note @8 :Text;  # what wrote it, for people: "import icews14.tsv"
  timeStated @9 :Bool;  # the time was stated by whoever committed, not taken from the clock
  counts @10 :Data;  # what it changes of the statistics: FORMAT.md, section 13. Absent: by a build that keeps none
}
