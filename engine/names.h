// Names in any script, found by their normal form. The name itself is never changed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"

namespace demarche {

// True if `text` is well-formed UTF-8 (no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::string_view text);

// The form under which a name is looked up: NFC, case-folded, Arabic letter variants unified (alef forms, ya and alef
// maqsura, ta marbuta; tatweel and vowel marks dropped), runs of white space as one space, none at the ends.
// Errors: kInvalidArgument if `name` is not UTF-8.
[[nodiscard]] Result<std::string> normal_form(std::string_view name);

// Columns a terminal uses for `text`; combining marks take none, wide characters two.
[[nodiscard]] std::size_t display_width(std::string_view text);

// The candidate nearest to `name` by edit distance on lower-case letters; if more than a third of its letters differ,
// the shortest longer one that begins with `name` (from three letters on) or holds it (from five on); "" if there is
// none.
[[nodiscard]] std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace demarche
