#include "engine/impl/plain_page.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "engine/impl/bytes.h"

namespace demarche::impl {

namespace {

constexpr std::string_view kLocatorPrefix = "line ";

Error damaged(const char* what) {
  return {ErrorCode::kCorruption, std::string("a page of rows ") + what + "; stop writing to this store", nullptr};
}

// The text a date would be written with, nullopt if it is none of the plain forms.
std::optional<std::string> plain_text(DateTextForm form, Timestamp begin) {
  if (!begin.is_finite()) return std::nullopt;
  std::string day = format_day(begin.seconds / kSecondsPerDay);
  switch (form) {
    case DateTextForm::kDay:
      return day;
    case DateTextForm::kMonth:
      return day.substr(0, day.size() - 3);
    case DateTextForm::kYear:
      return day.substr(0, day.size() - 6);
    default:
      return std::nullopt;
  }
}

// Is `text` the day, month or year that begins at `begin`? By digits, without writing the text: loads ask it of each
// row.
bool is_plain_text(std::string_view text, DateTextForm form, Timestamp begin) {
  const CivilDay day = civil_from_days(begin.seconds / kSecondsPerDay);
  if (day.year < 0 || day.year > 9999) return plain_text(form, begin) == text;
  const std::size_t size = form == DateTextForm::kDay ? 10 : form == DateTextForm::kMonth ? 7 : 4;
  if (text.size() != size) return false;
  const auto number = [text](std::size_t first, std::size_t count) {
    std::int64_t out = 0;
    for (std::size_t i = first; i < first + count; ++i) {
      if (text[i] < '0' || text[i] > '9') return std::int64_t{-1};
      out = 10 * out + (text[i] - '0');
    }
    return out;
  };
  return number(0, 4) == day.year && (size < 7 ? day.month == 1 : text[4] == '-' && number(5, 2) == day.month) &&
         (size < 10 ? day.day == 1 : text[7] == '-' && number(8, 2) == day.day);
}

DateTextForm text_form(const When& when) {
  const TimeBounds& b = when.bounds;
  if (b.is_span || b.qualified || b.has_gaps || b.fine_begin || b.fine_end) return DateTextForm::kRich;
  if (!b.begin_min.is_finite() || !b.end_max.is_finite()) return DateTextForm::kRich;
  if (b.begin_min.seconds % kSecondsPerDay != 0) return DateTextForm::kRich;
  // Without a sign: the farthest two years lie more than 2^63 seconds apart.
  const std::uint64_t days =
      (static_cast<std::uint64_t>(b.end_max.seconds) - static_cast<std::uint64_t>(b.begin_min.seconds)) /
      static_cast<std::uint64_t>(kSecondsPerDay);
  const DateTextForm form = days == 0 ? DateTextForm::kDay : days < 31 ? DateTextForm::kMonth : DateTextForm::kYear;
  return is_plain_text(when.text, form, b.begin_min) ? form : DateTextForm::kRich;
}

// "line 17" or "line 17, 42", numbers without leading zeros.
bool read_locator(std::string_view text, PlainFields& out) {
  if (text.empty()) return true;
  if (!text.starts_with(kLocatorPrefix)) return false;
  const char* at = text.data() + kLocatorPrefix.size();
  const char* const end = text.data() + text.size();
  std::array<std::uint64_t, 2> numbers = {};
  std::size_t count = 0;
  while (count < numbers.size()) {
    const auto [next, error] = std::from_chars(at, end, numbers[count]);
    if (error != std::errc() || *at == '0') return false;
    at = next;
    ++count;
    if (at == end) break;
    if (count == numbers.size() || end - at < 3 || at[0] != ',' || at[1] != ' ') return false;
    at += 2;
  }
  if (count == 2 && numbers[1] <= numbers[0]) return false;
  out.line = numbers[0];
  out.second = count == 2 ? numbers[1] - numbers[0] : 0;
  return at == end;
}

std::string write_locator(const PlainFields& fields) {
  if (fields.line == 0) return {};
  if (fields.second == 0) return fmt::format("{}{}", kLocatorPrefix, fields.line);
  return fmt::format("{}{}, {}", kLocatorPrefix, fields.line, fields.line + fields.second);
}

}  // namespace

PlainFields plain_fields(const Interaction& interaction) {
  const PlainFields rich;
  if (!interaction.key.empty() || !interaction.place.empty() || interaction.part_of ||
      !interaction.properties.empty() || interaction.claims.size() > 1 ||
      interaction.participants.size() > kInlinePartiesMax || interaction.row.value != interaction.id.value) {
    return rich;
  }
  for (const Participant& p : interaction.participants) {
    if (p.acting_for) return rich;
  }
  PlainFields out;
  out.text = interaction.when ? text_form(*interaction.when) : DateTextForm::kNone;
  if (interaction.claims.empty()) return out;
  const Claim& claim = interaction.claims.front();
  if (!claim.words.empty() || !claim.note.empty() || claim.published || claim.when || claim.status != Status::kNone ||
      !read_locator(claim.locator, out)) {
    return rich;
  }
  out.source = claim.source.value;
  return out;
}

std::string encode_page(const PageRows& rows, std::size_t first, std::size_t last, const RowDictionary& dictionary,
                        RowBlockEncoder& encoder) {
  const std::string block =
      encoder.encode(std::span(rows.list.rows).subspan(first, last - first), rows.list.others, dictionary);
  std::string out;
  put_varint(out, block.size());
  out += block;
  std::string columns;
  std::vector<std::uint64_t> values(last - first);
  const auto add = [&](auto field) {
    for (std::size_t i = first; i < last; ++i) values[i - first] = field(rows.fields[i]);
    const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
    const std::uint32_t width = packed_width(*greatest - *least);
    put_varint(out, *least);
    out += static_cast<char>(width);
    pack_column(columns, values, *least, width);
  };
  add([](const PlainFields& f) { return static_cast<std::uint64_t>(f.text); });
  add([](const PlainFields& f) { return f.source; });
  add([](const PlainFields& f) { return f.line; });
  add([](const PlainFields& f) { return f.second; });
  out += columns;
  out.append(kColumnPadBytes, '\0');
  return out;
}

Result<void> PlainPage::parse(std::string_view bytes) {
  ByteReader in(bytes);
  const std::string_view block = in.bytes(in.varint());
  if (!in.ok()) return tl::unexpected(damaged("is cut short"));
  DEMARCHE_CHECK(rows_.parse(block));
  const std::array<PackedColumn*, 4> columns = {&text_, &source_, &line_, &second_};
  for (PackedColumn* column : columns) {
    column->base = in.varint();
    column->width = in.byte();
    if (!is_packed_width(column->width)) in.fail();
    if (!in.ok()) return tl::unexpected(damaged("has a damaged header"));
    column->mask = packed_mask(column->width);
  }
  for (PackedColumn* column : columns) {
    const std::string_view bits = in.bytes(packed_bytes(rows_.size(), column->width));
    column->bits = reinterpret_cast<const std::uint8_t*>(bits.data());
  }
  (void)in.bytes(kColumnPadBytes);
  if (!in.done()) return tl::unexpected(damaged("has the wrong length"));
  return {};
}

PlainFields PlainPage::fields(std::size_t i) const {
  PlainFields out;
  const std::uint64_t text = text_.at(i);
  out.text =
      text > static_cast<std::uint64_t>(DateTextForm::kRich) ? DateTextForm::kRich : static_cast<DateTextForm>(text);
  out.source = source_.at(i);
  out.line = line_.at(i);
  out.second = second_.at(i);
  return out;
}

std::optional<std::size_t> PlainPage::find_row(std::uint64_t row) const {
  std::size_t low = 0;
  std::size_t high = rows_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (rows_.row(middle) < row) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < rows_.size() && rows_.row(low) == row ? std::optional(low) : std::nullopt;
}

Result<Interaction> PlainPage::interaction(std::size_t i) const {
  const Shape& shape = rows_.shape(i);
  const Form& form = rows_.form(i);
  const PlainFields plain = fields(i);
  if ((shape.flags & Shape::kDamaged) != 0 || form.listed || rows_.kind(i).value == 0 ||
      plain.text == DateTextForm::kRich) {
    return tl::unexpected(damaged("holds a row that does not decode"));
  }
  Interaction out;
  out.row = RowNumber{rows_.row(i)};
  out.id = InteractionId{rows_.interaction(i)};
  out.kind = rows_.kind(i);
  out.status = shape.status;
  if (plain.text != DateTextForm::kNone) {
    const TimeBounds bounds = shape.bounds(rows_.begin(i));
    auto text = plain_text(plain.text, bounds.begin_min);
    if (!text) return tl::unexpected(damaged("holds a date that does not decode"));
    out.when = When{std::move(*text), bounds};
  }
  const std::size_t first = rows_.others_begin(i);
  for (std::size_t k = 0; k < form.count; ++k) {
    out.participants.push_back({rows_.other(first + k), form.role[k], std::nullopt});
  }
  if (plain.source != 0) {
    Claim claim;
    claim.source = SourceId{plain.source};
    claim.locator = write_locator(plain);
    out.claims.push_back(std::move(claim));
  }
  return out;
}

}  // namespace demarche::impl
