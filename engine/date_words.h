// Dates as people write them in a sentence, where they can mean one thing only; for what people type and for files that
// are imported. What is kept is EDTF.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/edtf.h"
#include "engine/result.h"
#include "engine/when.h"

namespace demarche {

// "2016-04-29" for "29 April 2016", "April 29, 2016", "29th Apr. 2016" or "29-Apr-2016", "2016-04" for "April 2016":
// the month by its English name or at least three letters of it, the year with four digits. nullopt for all else,
// numbers alone above all: whether day or month comes first differs between countries.
[[nodiscard]] std::optional<std::string> edtf_of_words(std::string_view text);

// EDTF, or such words. Errors: those of parse_edtf() and parse_when(), about the text as given.
[[nodiscard]] Result<Edtf> parse_edtf_or_words(std::string_view text);
[[nodiscard]] Result<When> parse_when_or_words(std::string_view text);

}  // namespace demarche
