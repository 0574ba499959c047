// Columns of every width: what was packed is read back by every road, and the fast one agrees with the portable one.
#include "engine/impl/packed_column.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace {

using namespace demarche::impl;

// A column with its bytes: exactly those that must be readable, so that a reader that goes further is found.
struct Packed {
  Packed(const std::vector<std::uint64_t>& values, std::uint64_t base, std::uint32_t width) {
    std::string out = "before";  // columns stand behind others
    pack_column(out, values, base, width);
    bytes.assign(out.begin() + 6, out.end());
    packed_size = bytes.size();
    bytes.insert(bytes.end(), kColumnPadBytes, 0xA5);  // what stands behind must not matter
    column = {bytes.data(), base, packed_mask(width), width};
  }
  std::vector<std::uint8_t> bytes;
  std::size_t packed_size = 0;
  PackedColumn column;
};

std::vector<std::uint32_t> all_widths() {
  std::vector<std::uint32_t> out;
  for (std::uint32_t width = 0; width <= 56; ++width) out.push_back(width);
  out.push_back(64);
  return out;
}

// Runs that begin and end at, before and behind the edges of vectors and of the column.
std::vector<std::pair<std::size_t, std::size_t>> runs_of(std::size_t count, std::mt19937_64& random) {
  std::vector<std::pair<std::size_t, std::size_t>> out = {{0, count}, {count, 0}};
  for (std::size_t first = 0; first <= std::min<std::size_t>(count, 9); ++first) {
    for (std::size_t length = 0; length <= std::min<std::size_t>(count - first, 9); ++length) {
      out.emplace_back(first, length);
      out.emplace_back(count - first - length, length);
    }
  }
  for (int n = 0; n < 4 && count > 0; ++n) {
    const std::size_t first = random() % count;
    out.emplace_back(first, random() % (count - first + 1));
  }
  return out;
}

}  // namespace

TEST_CASE("packed column: a width holds its range and no narrower one does") {
  CHECK(packed_width(0) == 0);
  for (unsigned bits = 1; bits <= 64; ++bits) {
    const std::uint64_t most = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
    const std::uint32_t want = bits > 56 ? 64 : bits;
    CHECK(packed_width(most) == want);
    CHECK(packed_width(std::uint64_t{1} << (bits - 1)) == want);
    CHECK((most & ~packed_mask(want)) == 0);
  }
  for (std::uint32_t width = 0; width < 256; ++width) {
    CHECK(is_packed_width(width) == (width <= 56 || width == 64));
  }
}

TEST_CASE("packed column: every width gives back what was packed, one by one and many at once") {
  const unsigned seed = 4711;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (const std::uint32_t width : all_widths()) {
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{8},
                                    std::size_t{9}, std::size_t{63}, std::size_t{64}, std::size_t{65},
                                    static_cast<std::size_t>(random() % 2000), std::size_t{2000}}) {
      // Bases of signed columns are two's complement: values wrap around.
      const std::uint64_t base = count % 3 == 0   ? random()
                                 : count % 3 == 1 ? ~std::uint64_t{0} - random() % 1000
                                                  : random() % 1000;
      const int fill = static_cast<int>(random() % 3);  // all nothing, all as large as can be, anything
      std::vector<std::uint64_t> values(count);
      for (std::uint64_t& value : values) {
        value = base + ((fill == 0 ? 0 : fill == 1 ? ~std::uint64_t{0} : random()) & packed_mask(width));
      }
      const Packed packed(values, base, width);
      INFO("width " << width << ", " << count << " values, base " << base);
      REQUIRE(packed.packed_size == packed_bytes(count, width));
      bool single = true;
      for (std::size_t i = 0; i < count; ++i) {
        single = single && packed.column.at(i) == values[i] && packed.column.raw(i) == values[i] - base;
      }
      CHECK(single);
      for (const auto& [first, length] : runs_of(count, random)) {
        INFO("first " << first << ", length " << length);
        constexpr std::uint64_t kUntouched = 0xDEADBEEFCAFEF00D;
        std::vector<std::uint64_t> fast(length + 1, kUntouched);
        std::vector<std::uint64_t> plain(length + 1, kUntouched);
        unpack_column(packed.column, first, length, fast.data());
        portable::unpack_column(packed.column, first, length, plain.data());
        std::vector<std::uint64_t> want(values.begin() + static_cast<std::ptrdiff_t>(first),
                                        values.begin() + static_cast<std::ptrdiff_t>(first + length));
        want.push_back(kUntouched);  // and nothing behind
        if (fast != want) FAIL("unpack_column differs");
        if (plain != want) FAIL("portable::unpack_column differs");
        if (width > 32) continue;
        constexpr std::uint32_t kUntouched32 = 0xDEADBEEF;
        std::vector<std::uint32_t> fast32(length + 1, kUntouched32);
        std::vector<std::uint32_t> plain32(length + 1, kUntouched32);
        unpack_raw32(packed.column, first, length, fast32.data());
        portable::unpack_raw32(packed.column, first, length, plain32.data());
        std::vector<std::uint32_t> want32;
        for (std::size_t i = 0; i < length; ++i) want32.push_back(static_cast<std::uint32_t>(want[i] - base));
        want32.push_back(kUntouched32);
        if (fast32 != want32) FAIL("unpack_raw32 differs");
        if (plain32 != want32) FAIL("portable::unpack_raw32 differs");
      }
    }
  }
}

TEST_CASE("packed column: the bits lie where the format says") {
  // Three values of five bits above 100: 00001, 11111, 00010, least significant first.
  const Packed packed({101, 131, 102}, 100, 5);
  REQUIRE(packed.packed_size == 2);
  CHECK(packed.bytes[0] == 0b11100001);
  CHECK(packed.bytes[1] == 0b00001011);
}
