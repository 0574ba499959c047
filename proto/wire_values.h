// Values and records as messages, and back. What comes from a peer is checked: nothing here trusts it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <capnp/message.h>

#include "engine/chronology.h"
#include "engine/model.h"
#include "engine/result.h"
#include "engine/store.h"
#include "proto/demarche.capnp.h"
#include "query/query.h"
#include "query/value.h"

namespace demarche::proto {

// Deepest nesting of lists and maps in a value on its way; both ends allow messages twice as deep and more.
inline constexpr std::size_t kValueDepthMax = 100;

[[nodiscard]] std::string text_of(capnp::Text::Reader text);

// Bytes that a value will take, roughly; stops counting beyond `enough`.
[[nodiscard]] std::size_t size_of(const query::Value& value, std::size_t enough);
// Errors: kLimit if it is nested too deep.
[[nodiscard]] Result<void> check_depth(const query::Value& value, std::size_t depth = 0);

// REQUIRES: check_depth().
void write_value(const query::Value& value, wire::Value::Builder out);
void write_column(const query::Value* values, std::size_t count, wire::Column::Builder out);
// Errors: kInvalidArgument for what is no value.
[[nodiscard]] Result<query::Value> read_value(wire::Value::Reader in, std::size_t depth = 0);
[[nodiscard]] Result<std::vector<query::Value>> read_column(wire::Column::Reader in, std::size_t rows);
[[nodiscard]] Result<std::map<std::string, query::Value>> read_parameters(capnp::List<wire::Parameter>::Reader in);
void write_parameters(const std::map<std::string, query::Value>& parameters, capnp::List<wire::Parameter>::Builder out);

void write_bounds(const TimeBounds& bounds, wire::Bounds::Builder out);
[[nodiscard]] TimeBounds read_bounds(wire::Bounds::Reader in);

void write_refusal(const Error& error, wire::Refusal::Builder out);
[[nodiscard]] Error read_refusal(wire::Refusal::Reader in);
// Errors that go in band; the others are faults.
[[nodiscard]] bool is_refusal(ErrorCode code);

void write_actor(const Actor& actor, wire::ActorRecord::Builder out);
[[nodiscard]] Result<Actor> read_actor(wire::ActorRecord::Reader in);
void write_interaction(const Interaction& record, const KindTable& kinds, wire::InteractionRecord::Builder out);
[[nodiscard]] Result<Interaction> read_interaction(wire::InteractionRecord::Reader in, const KindTable& kinds);
void write_source(const Source& source, wire::SourceRecord::Builder out);
[[nodiscard]] Source read_source(wire::SourceRecord::Reader in);

void write_kinds(const KindTable& kinds, capnp::List<wire::Kind>::Builder out);
[[nodiscard]] Result<KindTable> read_kinds(capnp::List<wire::Kind>::Reader in);

void write_arrival(const Arrival& arrival, wire::Arrival::Builder out);
[[nodiscard]] Arrival read_arrival(wire::Arrival::Reader in);

void write_changes(const query::Changes& changes, wire::Changes::Builder out);
[[nodiscard]] query::Changes read_changes(wire::Changes::Reader in);

// REQUIRES: fewer than 2^29 items.
template <typename IdType, typename Builder>
void write_ids(const std::vector<IdType>& ids, Builder out) {
  for (capnp::uint i = 0; i < out.size(); ++i) out.set(i, ids[i].value);
}
template <typename IdType, typename Reader>
[[nodiscard]] std::vector<IdType> read_ids(Reader in) {
  std::vector<IdType> out;
  out.reserve(in.size());
  for (const std::uint64_t id : in) out.push_back(IdType{id});
  return out;
}

}  // namespace demarche::proto
