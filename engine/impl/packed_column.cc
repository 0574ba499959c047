#include "engine/impl/packed_column.h"

#include <bit>
#include <cassert>

#if defined(__x86_64__)
#include <immintrin.h>
#define DEMARCHE_HAS_AVX2_TWIN 1
#endif

namespace demarche::impl {

std::uint32_t packed_width(std::uint64_t range) {
  const auto width = static_cast<std::uint32_t>(std::bit_width(range));
  return width > 56 ? 64 : width;
}

void pack_column(std::string& out, std::span<const std::uint64_t> values, std::uint64_t base, std::uint32_t width) {
  assert(is_packed_width(width));
  if (width == 0) return;
  const std::size_t start = out.size();
  out.resize(start + packed_bytes(values.size(), width));
  char* at = out.data() + start;
  if (width == 64) {
    for (const std::uint64_t value : values) {
      const std::uint64_t raw = value - base;
      std::memcpy(at, &raw, sizeof raw);
      at += sizeof raw;
    }
    return;
  }
  std::uint64_t word = 0;
  unsigned filled = 0;
  for (const std::uint64_t value : values) {
    const std::uint64_t raw = value - base;
    assert((raw & ~packed_mask(width)) == 0);
    word |= raw << filled;
    filled += width;
    if (filled >= 64) {
      std::memcpy(at, &word, sizeof word);
      at += sizeof word;
      filled -= 64;
      word = filled == 0 ? 0 : raw >> (width - filled);
    }
  }
  std::memcpy(at, &word, (filled + 7) / 8);
}

namespace portable {

void unpack_column(const PackedColumn& column, std::size_t first, std::size_t count, std::uint64_t* out) {
  if (column.width == 0) {
    for (std::size_t i = 0; i < count; ++i) out[i] = column.base;
    return;
  }
  for (std::size_t i = 0; i < count; ++i) out[i] = column.at(first + i);
}

void unpack_raw32(const PackedColumn& column, std::size_t first, std::size_t count, std::uint32_t* out) {
  assert(column.width <= 32);
  if (column.width == 0) {
    for (std::size_t i = 0; i < count; ++i) out[i] = 0;
    return;
  }
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint32_t>(column.raw(first + i));
}

}  // namespace portable

#if DEMARCHE_HAS_AVX2_TWIN

namespace {

// Columns of a bit offset below 2^31 only, so that offsets fit a lane; a block is some kilobytes.
constexpr std::size_t kGatherBitsMax = std::size_t{1} << 30;
// A gather of 32 bits sees 25 of a value that may begin at any bit of a byte; one of 64 bits sees 57.
constexpr std::uint32_t kNarrowMax = 25;

__attribute__((target("avx2"))) void unpack_wide_avx2(const PackedColumn& column, std::size_t first, std::size_t count,
                                                      std::uint64_t* out) {
  const auto step = static_cast<long long>(column.width);
  const auto origin = static_cast<long long>(first * column.width);
  __m256i bit = _mm256_add_epi64(_mm256_set1_epi64x(origin), _mm256_set_epi64x(3 * step, 2 * step, step, 0));
  const __m256i advance = _mm256_set1_epi64x(4 * step);
  const __m256i low = _mm256_set1_epi64x(7);
  const __m256i mask = _mm256_set1_epi64x(static_cast<long long>(column.mask));
  const __m256i base = _mm256_set1_epi64x(static_cast<long long>(column.base));
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const __m256i word =
        _mm256_i64gather_epi64(reinterpret_cast<const long long*>(column.bits), _mm256_srli_epi64(bit, 3), 1);
    const __m256i raw = _mm256_and_si256(_mm256_srlv_epi64(word, _mm256_and_si256(bit, low)), mask);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_add_epi64(raw, base));
    bit = _mm256_add_epi64(bit, advance);
  }
  portable::unpack_column(column, first + i, count - i, out + i);
}

__attribute__((target("avx2"))) void unpack_narrow_avx2(const PackedColumn& column, std::size_t first,
                                                        std::size_t count, std::uint32_t* out) {
  const auto step = static_cast<int>(column.width);
  const auto origin = static_cast<int>(first * column.width);
  __m256i bit = _mm256_add_epi32(_mm256_set1_epi32(origin),
                                 _mm256_set_epi32(7 * step, 6 * step, 5 * step, 4 * step, 3 * step, 2 * step, step, 0));
  const __m256i advance = _mm256_set1_epi32(8 * step);
  const __m256i low = _mm256_set1_epi32(7);
  const __m256i mask = _mm256_set1_epi32(static_cast<int>(column.mask));
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256i word =
        _mm256_i32gather_epi32(reinterpret_cast<const int*>(column.bits), _mm256_srli_epi32(bit, 3), 1);
    const __m256i raw = _mm256_and_si256(_mm256_srlv_epi32(word, _mm256_and_si256(bit, low)), mask);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), raw);
    bit = _mm256_add_epi32(bit, advance);
  }
  portable::unpack_raw32(column, first + i, count - i, out + i);
}

const bool kAvx2 = __builtin_cpu_supports("avx2") != 0;

}  // namespace

bool uses_avx2() { return kAvx2; }

void unpack_column(const PackedColumn& column, std::size_t first, std::size_t count, std::uint64_t* out) {
  if (kAvx2 && column.width > 0 && column.width <= 56 && (first + count) * column.width < kGatherBitsMax) {
    unpack_wide_avx2(column, first, count, out);
  } else {
    portable::unpack_column(column, first, count, out);
  }
}

void unpack_raw32(const PackedColumn& column, std::size_t first, std::size_t count, std::uint32_t* out) {
  if (kAvx2 && column.width > 0 && column.width <= kNarrowMax && (first + count) * column.width < kGatherBitsMax) {
    unpack_narrow_avx2(column, first, count, out);
  } else {
    portable::unpack_raw32(column, first, count, out);
  }
}

#else

bool uses_avx2() { return false; }
void unpack_column(const PackedColumn& column, std::size_t first, std::size_t count, std::uint64_t* out) {
  portable::unpack_column(column, first, count, out);
}
void unpack_raw32(const PackedColumn& column, std::size_t first, std::size_t count, std::uint32_t* out) {
  portable::unpack_raw32(column, first, count, out);
}

#endif

}  // namespace demarche::impl
