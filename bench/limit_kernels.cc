#include "bench/limit_kernels.h"

#include <algorithm>
#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#define DEMARCHE_BENCH_AVX2 1
#endif

namespace demarche::bench {
namespace {

// ---- portable: no branch depends on the rows

ContactSum sum_contacts_portable(const std::uint8_t* kinds, const std::uint32_t* others, const std::uint32_t* ids,
                                 std::size_t rows, std::uint32_t wanted) {
  ContactSum sum;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint32_t bit = (wanted >> kinds[i]) & 1;
    sum.interactions += bit;
    sum.others += others[i] & (0 - bit);
    sum.ids += ids[i] & (0 - bit);
  }
  return sum;
}

ContactSum sum_column_portable(const std::uint8_t* kinds, const std::uint32_t* values, std::size_t rows,
                               std::uint32_t wanted) {
  ContactSum sum;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint32_t bit = (wanted >> kinds[i]) & 1;
    sum.interactions += bit;
    sum.ids += values[i] & (0 - bit);
  }
  return sum;
}

// Four tables, so that runs of one kind do not wait for their own counter.
void count_kinds_portable(const std::uint8_t* kinds, std::size_t rows, unsigned kind_count, std::uint64_t* counts) {
  std::array<std::array<std::uint64_t, kKindsMax>, 4> table{};
  std::size_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    ++table[0][kinds[i]];
    ++table[1][kinds[i + 1]];
    ++table[2][kinds[i + 2]];
    ++table[3][kinds[i + 3]];
  }
  for (; i < rows; ++i) ++table[0][kinds[i]];
  for (unsigned k = 0; k < kind_count; ++k) counts[k] += table[0][k] + table[1][k] + table[2][k] + table[3][k];
}

#ifdef DEMARCHE_BENCH_AVX2
#define DEMARCHE_BENCH_WIDE __attribute__((target("avx2")))

DEMARCHE_BENCH_WIDE inline __m256i load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

// All ones in each of eight lanes whose row is wanted.
DEMARCHE_BENCH_WIDE inline __m256i wanted_lanes(const std::uint8_t* kinds, __m256i wanted) {
  const __m256i kind = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(kinds)));
  return _mm256_srai_epi32(_mm256_slli_epi32(_mm256_srlv_epi32(wanted, kind), 31), 31);
}

// Adds eight 32-bit lanes to four 64-bit ones.
DEMARCHE_BENCH_WIDE inline __m256i add_wide(__m256i sum, __m256i lanes) {
  const __m256i even = _mm256_and_si256(lanes, _mm256_set1_epi64x(0xFFFFFFFF));
  return _mm256_add_epi64(_mm256_add_epi64(sum, even), _mm256_srli_epi64(lanes, 32));
}

DEMARCHE_BENCH_WIDE inline std::uint64_t total(__m256i lanes) {
  std::array<std::uint64_t, 4> out;
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out.data()), lanes);
  return out[0] + out[1] + out[2] + out[3];
}

DEMARCHE_BENCH_WIDE inline ContactSum plus(const ContactSum& x, const ContactSum& y) {
  return {x.interactions + y.interactions, x.others + y.others, x.ids + y.ids};
}

DEMARCHE_BENCH_WIDE ContactSum sum_contacts_avx2(const std::uint8_t* kinds, const std::uint32_t* others,
                                                 const std::uint32_t* ids, std::size_t rows, std::uint32_t wanted) {
  if (rows < 8) return sum_contacts_portable(kinds, others, ids, rows, wanted);
  const __m256i bits = _mm256_set1_epi32(static_cast<int>(wanted));
  __m256i count = _mm256_setzero_si256();
  __m256i other = _mm256_setzero_si256();
  __m256i id = _mm256_setzero_si256();
  std::size_t i = 0;
  for (; i + 8 <= rows; i += 8) {
    const __m256i lanes = wanted_lanes(kinds + i, bits);
    count = _mm256_sub_epi32(count, lanes);
    other = add_wide(other, _mm256_and_si256(load(others + i), lanes));
    id = add_wide(id, _mm256_and_si256(load(ids + i), lanes));
  }
  const ContactSum wide{total(add_wide(_mm256_setzero_si256(), count)), total(other), total(id)};
  return plus(wide, sum_contacts_portable(kinds + i, others + i, ids + i, rows - i, wanted));
}

DEMARCHE_BENCH_WIDE ContactSum sum_column_avx2(const std::uint8_t* kinds, const std::uint32_t* values, std::size_t rows,
                                               std::uint32_t wanted) {
  if (rows < 8) return sum_column_portable(kinds, values, rows, wanted);
  const __m256i bits = _mm256_set1_epi32(static_cast<int>(wanted));
  __m256i count = _mm256_setzero_si256();
  __m256i value = _mm256_setzero_si256();
  std::size_t i = 0;
  for (; i + 8 <= rows; i += 8) {
    const __m256i lanes = wanted_lanes(kinds + i, bits);
    count = _mm256_sub_epi32(count, lanes);
    value = add_wide(value, _mm256_and_si256(load(values + i), lanes));
  }
  const ContactSum wide{total(add_wide(_mm256_setzero_si256(), count)), 0, total(value)};
  return plus(wide, sum_column_portable(kinds + i, values + i, rows - i, wanted));
}

// Compares 32 rows at once with four kinds in turn; 8-bit counters hold 255 rounds.
DEMARCHE_BENCH_WIDE void count_kinds_avx2(const std::uint8_t* kinds, std::size_t rows, unsigned kind_count,
                                          std::uint64_t* counts) {
  constexpr std::size_t kBlock = 255 * 32;
  const __m256i zero = _mm256_setzero_si256();
  std::size_t done = 0;
  while (rows - done >= 32) {
    const std::size_t block = std::min(kBlock, (rows - done) / 32 * 32);
    const std::uint8_t* const first = kinds + done;
    for (unsigned k = 0; k < kind_count; k += 4) {
      const __m256i kind0 = _mm256_set1_epi8(static_cast<char>(k));
      const __m256i kind1 = _mm256_set1_epi8(static_cast<char>(k + 1));
      const __m256i kind2 = _mm256_set1_epi8(static_cast<char>(k + 2));
      const __m256i kind3 = _mm256_set1_epi8(static_cast<char>(k + 3));
      __m256i count0 = zero;
      __m256i count1 = zero;
      __m256i count2 = zero;
      __m256i count3 = zero;
      for (std::size_t i = 0; i < block; i += 32) {
        const __m256i row = load(first + i);
        count0 = _mm256_sub_epi8(count0, _mm256_cmpeq_epi8(row, kind0));
        count1 = _mm256_sub_epi8(count1, _mm256_cmpeq_epi8(row, kind1));
        count2 = _mm256_sub_epi8(count2, _mm256_cmpeq_epi8(row, kind2));
        count3 = _mm256_sub_epi8(count3, _mm256_cmpeq_epi8(row, kind3));
      }
      const __m256i sums[] = {_mm256_sad_epu8(count0, zero), _mm256_sad_epu8(count1, zero),
                              _mm256_sad_epu8(count2, zero), _mm256_sad_epu8(count3, zero)};
      for (unsigned j = 0; j < 4 && k + j < kind_count; ++j) counts[k + j] += total(sums[j]);
    }
    done += block;
  }
  count_kinds_portable(kinds + done, rows - done, kind_count, counts);
}
#endif

}  // namespace

const Kernels& portable_kernels() {
  static constexpr Kernels kernels{sum_contacts_portable, sum_column_portable, count_kinds_portable};
  return kernels;
}

const Kernels* avx2_kernels() {
#ifdef DEMARCHE_BENCH_AVX2
  static constexpr Kernels kernels{sum_contacts_avx2, sum_column_avx2, count_kinds_avx2};
  return __builtin_cpu_supports("avx2") ? &kernels : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace demarche::bench
