#include "engine/result.h"

namespace demarche {

Error Error::with_context(std::string_view context) && {
  Error out = std::move(*this);
  out.message.insert(0, ": ").insert(0, context);
  return out;
}

}  // namespace demarche
