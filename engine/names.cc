#include "engine/names.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <utf8proc.h>

namespace demarche {

namespace {

constexpr utf8proc_int32_t kTatweel = 0x0640;

// Maps an Arabic letter to the one its variants are searched under; 0 drops it. Others stay.
utf8proc_int32_t unify_arabic(utf8proc_int32_t c) {
  switch (c) {
    case 0x0622:
    case 0x0623:
    case 0x0625:
    case 0x0671:
      return 0x0627;  // alef with madda, hamza, wasla
    case 0x0649:
    case 0x06CC:
      return 0x064A;  // alef maqsura, Farsi yeh: yeh
    case 0x0629:
      return 0x0647;  // ta marbuta: heh
    case 0x06A9:
      return 0x0643;  // keheh: kaf
    case 0x0624:
      return 0x0648;  // waw with hamza
    case 0x0626:
      return 0x064A;  // yeh with hamza
    default:
      break;
  }
  const bool vowel_mark = (c >= 0x064B && c <= 0x065F) || c == 0x0670;
  return c == kTatweel || vowel_mark ? 0 : c;
}

bool is_space(utf8proc_int32_t c) {
  const utf8proc_category_t category = utf8proc_category(c);
  return c == '\t' || c == '\n' || c == '\r' || category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

void append(std::string& out, utf8proc_int32_t c) {
  utf8proc_uint8_t buffer[4];
  const utf8proc_ssize_t n = utf8proc_encode_char(c, buffer);
  out.append(reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(n));
}

// Calls `use(code_point)` for each code point; false if the text is not UTF-8.
template <typename Use>
bool for_each_code_point(std::string_view text, Use use) {
  const auto* p = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t c = 0;
    const utf8proc_ssize_t n = utf8proc_iterate(p, left, &c);
    if (n <= 0) return false;
    use(c);
    p += n;
    left -= n;
  }
  return true;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Restricted Damerau-Levenshtein distance on ASCII-lower-cased bytes.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_back(b.size() + 1), back(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) back[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
      row[j] = std::min({back[j] + 1, row[j - 1] + 1, back[j - 1] + cost});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], two_back[j - 2] + 1);
      }
    }
    std::swap(two_back, back);
    std::swap(back, row);
  }
  return back[b.size()];
}

}  // namespace

bool is_utf8(std::string_view text) {
  return for_each_code_point(text, [](utf8proc_int32_t) {});
}

Result<std::string> normal_form(std::string_view name) {
  utf8proc_uint8_t* folded = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(name.data()), static_cast<utf8proc_ssize_t>(name.size()),
                   &folded, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(folded, &std::free);
  if (size < 0) return invalid("a name is not valid UTF-8; save the file as UTF-8 and try again");
  std::string out;
  bool pending_space = false;
  for_each_code_point({reinterpret_cast<const char*>(folded), static_cast<std::size_t>(size)}, [&](utf8proc_int32_t c) {
    if (is_space(c)) {
      pending_space = !out.empty();
      return;
    }
    const utf8proc_int32_t unified = unify_arabic(c);
    if (unified == 0) return;
    if (pending_space) out += ' ';
    pending_space = false;
    append(out, unified);
  });
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  const bool ok = for_each_code_point(
      text, [&](utf8proc_int32_t c) { width += static_cast<std::size_t>(std::max(0, utf8proc_charwidth(c))); });
  return ok ? width : text.size();
}

namespace {

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// percentileCont for percentile, date.truncate for truncate.
std::string nearest_longer(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr std::size_t kBeginMin = 3;
  constexpr std::size_t kPartMin = 5;
  const std::string wanted = lower_ascii(name);
  std::string best;
  bool best_begins = false;
  for (const std::string& candidate : candidates) {
    const std::size_t at = lower_ascii(candidate).find(wanted);
    if (at == std::string::npos || wanted.size() < (at == 0 ? kBeginMin : kPartMin)) continue;
    const bool begins = at == 0;
    if (!best.empty() && (begins < best_begins || (begins == best_begins && candidate.size() >= best.size()))) continue;
    best = candidate;
    best_begins = begins;
  }
  return best;
}

}  // namespace

std::string nearest(std::string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  // Of a name of one letter no other is near.
  std::size_t best_distance = std::max<std::size_t>(name.size() > 1 ? 1 : 0, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best.empty() ? nearest_longer(name, candidates) : best;
}

}  // namespace demarche
