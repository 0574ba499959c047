// Pages of rows in order of row number: what a commit writes, and how plain interactions are kept (FORMAT.md, "Pages").
//
// A plain interaction says nothing but kind, date, parties, status and one line of one source, as imports make them. It
// needs no record of its own: a page holds it in some six bytes. All others are messages in the family "interaction",
// and a page of a commit only marks their rows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/impl/row_block.h"
#include "engine/model.h"
#include "engine/result.h"

namespace demarche::impl {

inline constexpr std::size_t kPageRowsMax = 512;

// How the text of a date follows from its bounds. Stored, never renumber.
enum class DateTextForm : std::uint8_t {
  kNone = 0,   // undated
  kYear = 1,   // 2016
  kMonth = 2,  // 2016-04
  kDay = 3,    // 2016-04-29
  kRich = 4,   // not a plain interaction: its record is in the family "interaction"
};

// What a plain interaction says besides its row.
struct PlainFields {
  DateTextForm text = DateTextForm::kRich;
  std::uint64_t source = 0;  // of the one claim; 0: no claim
  std::uint64_t line = 0;    // locator "line 17"; 0: no locator
  std::uint64_t second = 0;  // locator "line 17, 42": the second number less the first; 0: there is one
  friend bool operator==(const PlainFields&, const PlainFields&) = default;
};

// kRich if the interaction says more than a page can hold. The parts of `interaction` are checked already.
[[nodiscard]] PlainFields plain_fields(const Interaction& interaction);

// A page being made. Rows come in order of row number.
struct PageRows {
  RowList list;  // as the timeline has them
  std::vector<PlainFields> fields;
  void clear() {
    list.clear();
    fields.clear();
  }
};
// REQUIRES: first < last <= rows.fields.size().
[[nodiscard]] std::string encode_page(const PageRows& rows, std::size_t first, std::size_t last,
                                      const RowDictionary& dictionary, RowBlockEncoder& encoder);

// A page being read. Borrows the bytes.
class PlainPage {
 public:
  // Errors: kCorruption.
  [[nodiscard]] Result<void> parse(std::string_view bytes);
  [[nodiscard]] const RowBlock& rows() const { return rows_; }
  [[nodiscard]] PlainFields fields(std::size_t i) const;
  // Position of a row; nullopt if it is not in the page.
  [[nodiscard]] std::optional<std::size_t> find_row(std::uint64_t row) const;
  // The plain interaction of position i. Errors: kCorruption. REQUIRES: fields(i).text != kRich.
  [[nodiscard]] Result<Interaction> interaction(std::size_t i) const;

 private:
  RowBlock rows_;
  PackedColumn text_;
  PackedColumn source_;
  PackedColumn line_;
  PackedColumn second_;
};

}  // namespace demarche::impl
