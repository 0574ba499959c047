// Hands files to a fuzz target, for compilers without a fuzzer: replay PATH... A folder stands for the files in it; of
// a .test file each query is one input. Ends with status 1 if there was nothing to hand over.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

void hand_over(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

// What stands between a line "query" and a line "----".
std::vector<std::string> queries_of(const fs::path& path) {
  std::ifstream in(path);
  std::vector<std::string> out;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line == "----") {
      inside = false;
    } else if (inside) {
      out.back() += (out.back().empty() ? "" : "\n") + line;
    } else if (line == "query") {
      inside = true;
      out.emplace_back();
    }
  }
  return out;
}

std::vector<fs::path> files_of(const std::string& argument) {
  if (!fs::is_directory(argument)) return {argument};
  std::vector<fs::path> out;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(argument)) {
    if (entry.is_regular_file()) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    for (const fs::path& path : files_of(argv[i])) {
      if (path.extension() == ".test") {
        for (const std::string& text : queries_of(path)) {
          hand_over(text);
          ++count;
        }
      } else if (path.extension() == ".query") {
        std::ifstream in(path, std::ios::binary);
        if (!in) {
          std::fprintf(stderr, "replay: cannot read '%s'\n", path.c_str());
          return 1;
        }
        hand_over({std::istreambuf_iterator<char>(in), {}});
        ++count;
      }
    }
  }
  std::printf("%zu inputs\n", count);
  return count > 0 ? 0 : 1;
}
