// Value of an index row, the same in both orders (FORMAT.md, "contact_by_actor_time"). The row number and the earliest
// begin are also in the key.
#pragma once

#include <string>
#include <string_view>

#include "engine/model.h"
#include "engine/result.h"
#include "engine/row_batch.h"

namespace demarche::impl {

// `when` null: undated.
[[nodiscard]] std::string encode_entry(const Interaction& interaction);

// Appends one row to `batch`. Errors: kCorruption; the batch is then left with a torn row and must be cleared.
[[nodiscard]] Result<void> decode_entry(RowNumber row, std::string_view bytes, RowBatch& batch);

// The kind of an entry without decoding the rest. Errors: kCorruption.
[[nodiscard]] Result<KindId> entry_kind(std::string_view bytes);

}  // namespace demarche::impl
