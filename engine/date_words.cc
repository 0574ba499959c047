#include "engine/date_words.h"

#include <algorithm>

#include "engine/impl/edtf_parse.h"

namespace demarche {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// YYYY-MM or YYYY-MM-DD.
bool is_plain(std::string_view date) {
  if (date.size() != 7 && date.size() != 10) return false;
  for (std::size_t i = 0; i < date.size(); ++i) {
    if (i == 4 || i == 7 ? date[i] != '-' : !is_digit(date[i])) return false;
  }
  return true;
}

}  // namespace

std::optional<std::string> edtf_of_words(std::string_view text) {
  constexpr std::string_view kWrite = "write ";
  std::size_t letters = 0;  // of the longest word: a month has three at least
  std::size_t run = 0;
  for (const char c : text) {
    if (!is_digit(c) && !is_letter(c) && c != ' ' && c != ',' && c != '.' && c != '-') return std::nullopt;
    run = is_letter(c) ? run + 1 : 0;
    letters = std::max(letters, run);
  }
  if (letters < 3) return std::nullopt;
  // The hint of a refusal says what to write instead; with a month by name there is only one thing it can be.
  const std::string hint = impl::edtf_slip_hint(text);
  if (!hint.starts_with(kWrite)) return std::nullopt;
  std::string date = hint.substr(kWrite.size());
  return is_plain(date) ? std::optional(std::move(date)) : std::nullopt;
}

Result<Edtf> parse_edtf_or_words(std::string_view text) {
  auto edtf = parse_edtf(text);
  if (edtf) return edtf;
  const auto words = edtf_of_words(text);
  return words ? parse_edtf(*words) : edtf;
}

Result<When> parse_when_or_words(std::string_view text) {
  auto when = parse_when(text);
  if (when) return when;
  const auto words = edtf_of_words(text);
  return words ? parse_when(*words) : when;
}

}  // namespace demarche
