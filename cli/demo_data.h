// The shipped example, built into the program from examples/syria-2016/.
#pragma once

#include <span>
#include <string_view>

namespace demarche::cli {

struct DemoFile {
  std::string_view name;
  std::string_view text;
};
[[nodiscard]] std::span<const DemoFile> demo_files();

}  // namespace demarche::cli
