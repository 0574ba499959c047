// Inner loops of the limit, each as portable code and for AVX2, chosen at run time. Both give the same answers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bench/workload.h"

namespace demarche::bench {

// Rows of one actor in a window, and what is asked of them. Row i counts if bit kinds[i] of `wanted` is set.
// REQUIRES of all: kinds below kKindsMax.
struct Kernels {
  // Counts the rows wanted and sums two columns over them. At most 2^32 rows.
  ContactSum (*sum_contacts)(const std::uint8_t* kinds, const std::uint32_t* others, const std::uint32_t* ids,
                             std::size_t rows, std::uint32_t wanted);
  // Counts and sums one column, into `interactions` and `ids`.
  ContactSum (*sum_column)(const std::uint8_t* kinds, const std::uint32_t* values, std::size_t rows,
                           std::uint32_t wanted);
  // Adds to counts[k] the number of rows of kind k, for k < kind_count.
  void (*count_kinds)(const std::uint8_t* kinds, std::size_t rows, unsigned kind_count, std::uint64_t* counts);
};

[[nodiscard]] const Kernels& portable_kernels();
// Null if this processor, or this build, has no AVX2.
[[nodiscard]] const Kernels* avx2_kernels();
[[nodiscard]] inline const Kernels& best_kernels() {
  const Kernels* wide = avx2_kernels();
  return wide ? *wide : portable_kernels();
}

}  // namespace demarche::bench
