// A store on disk that is kept from run to run, beside a stamp that says what was loaded into it.
#pragma once

#include <string>

#include "bench/store_under_test.h"
#include "bench/workload.h"
#include "engine/result.h"

namespace demarche::bench {

struct StoredCopy {
  std::string path;  // of the store
  StoredIds ids;
  double load_cpu_seconds = 0;  // when it was made
  bool reused = false;
};

// The store of `data` in `folder`/<name of the data>/store. Made anew if the stamp beside it names other data, another
// stored format, or is missing because a load was broken off.
// Errors: kInvalidArgument if something that is no work of ours stands there: it is left alone; kIo; those of loading.
[[nodiscard]] Result<StoredCopy> ensure_stored_copy(const std::string& folder, const Dataset& data);

}  // namespace demarche::bench
