// Columns of unsigned integers, bit-packed above a common base (frame of reference), with random access.
//
// Value i occupies bits [i * width, (i + 1) * width) of the column, least significant first. Readers load eight bytes
// at a time, so kColumnPadBytes must be readable behind the last column of a block. Widths are 0 to 56, or 64. After:
// Lemire and Boytsov, "Decoding billions of integers per second through vectorization", Software: Practice and
// Experience 45(1), 2015, for the frame of reference; the gather form follows from the layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace demarche::impl {

inline constexpr std::size_t kColumnPadBytes = 8;

struct PackedColumn {
  const std::uint8_t* bits = nullptr;
  std::uint64_t base = 0;
  std::uint64_t mask = 0;
  std::uint32_t width = 0;

  [[nodiscard]] std::uint64_t at(std::size_t i) const { return base + raw(i); }
  // The value above the base.
  [[nodiscard]] std::uint64_t raw(std::size_t i) const {
    const std::size_t bit = i * width;
    std::uint64_t word;
    std::memcpy(&word, bits + bit / 8, sizeof word);
    return (word >> (bit % 8)) & mask;
  }
};

// Bits needed for `range`, the greatest value above the base, rounded up to a width that can be stored.
[[nodiscard]] std::uint32_t packed_width(std::uint64_t range);
[[nodiscard]] constexpr bool is_packed_width(std::uint32_t width) { return width <= 56 || width == 64; }
[[nodiscard]] constexpr std::size_t packed_bytes(std::size_t count, std::uint32_t width) {
  return (count * width + 7) / 8;
}
[[nodiscard]] constexpr std::uint64_t packed_mask(std::uint32_t width) {
  return width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
}

// Appends the packed bits of `values` above `base`. REQUIRES: every value - base fits `width`.
void pack_column(std::string& out, std::span<const std::uint64_t> values, std::uint64_t base, std::uint32_t width);

// Values [first, first + count) of the column, base added. With AVX2 where the processor has it; the portable twin
// gives the same (tests/engine/impl/packed_column_test.cc).
void unpack_column(const PackedColumn& column, std::size_t first, std::size_t count, std::uint64_t* out);
// The same above the base, for columns of at most 32 bits.
void unpack_raw32(const PackedColumn& column, std::size_t first, std::size_t count, std::uint32_t* out);

namespace portable {
void unpack_column(const PackedColumn& column, std::size_t first, std::size_t count, std::uint64_t* out);
void unpack_raw32(const PackedColumn& column, std::size_t first, std::size_t count, std::uint32_t* out);
}  // namespace portable

[[nodiscard]] bool uses_avx2();

}  // namespace demarche::impl
