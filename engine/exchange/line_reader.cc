#include "engine/exchange/line_reader.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>
#include <zstd.h>

#include "engine/names.h"

namespace demarche {

struct LineReader::State {
  std::string path;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{nullptr, &std::fclose};
  std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> zstd{nullptr, &ZSTD_freeDStream};
  std::vector<char> compressed;
  ZSTD_inBuffer in{nullptr, 0, 0};
  std::size_t frame_left = 0;  // 0: the last frame is complete
  std::vector<char> text = std::vector<char>(std::size_t{256} << 10);
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t line = 0;
  bool ended = false;

  // Refills text[begin, end); leaves it empty at the end of the file.
  Result<void> fill() {
    begin = 0;
    end = 0;
    if (zstd == nullptr) {
      end = std::fread(text.data(), 1, text.size(), file.get());
      if (end == 0 && std::ferror(file.get()) != 0) {
        return make_error(ErrorCode::kIo, fmt::format("read '{}': {}", path, std::strerror(errno)));
      }
      return {};
    }
    while (end == 0) {
      if (in.pos == in.size) {
        in = {compressed.data(), std::fread(compressed.data(), 1, compressed.size(), file.get()), 0};
        if (in.size == 0) {
          if (frame_left == 0) return {};
          return invalid(fmt::format("'{}': the compressed file is cut short; fetch it again", path));
        }
      }
      ZSTD_outBuffer out{text.data(), text.size(), 0};
      frame_left = ZSTD_decompressStream(zstd.get(), &out, &in);
      if (ZSTD_isError(frame_left) != 0) {
        return invalid(
            fmt::format("'{}': not a sound Zstandard file ({}); fetch it again", path, ZSTD_getErrorName(frame_left)));
      }
      end = out.pos;
    }
    return {};
  }
};

LineReader::LineReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;
LineReader::~LineReader() = default;

Result<LineReader> LineReader::open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
    return invalid(fmt::format("'{}' is a folder; name the files in it", path));
  state->file.reset(std::fopen(path.c_str(), "rbe"));
  if (state->file == nullptr) {
    const int code = errno;
    const ErrorCode kind =
        code == ENOENT ? ErrorCode::kNotFound : (code == EACCES ? ErrorCode::kDenied : ErrorCode::kIo);
    return make_error(kind, fmt::format("read '{}': {}", path, std::strerror(code)));
  }
  if (path.ends_with(".zst")) {
    state->zstd.reset(ZSTD_createDStream());
    state->compressed.resize(ZSTD_DStreamInSize());
  }
  return LineReader(std::move(state));
}

Result<bool> LineReader::next(std::string& line) {
  State& s = *state_;
  line.clear();
  bool any = false;
  while (!s.ended) {
    if (s.begin == s.end) {
      DEMARCHE_CHECK(s.fill());
      if (s.end == 0) {
        s.ended = true;
        break;
      }
    }
    any = true;
    const char* from = s.text.data() + s.begin;
    const auto* feed = static_cast<const char*>(std::memchr(from, '\n', s.end - s.begin));
    const std::size_t count = feed == nullptr ? s.end - s.begin : static_cast<std::size_t>(feed - from);
    line.append(from, count);
    s.begin += count + (feed == nullptr ? 0 : 1);
    if (line.size() > kLineBytesMax) {
      return invalid(fmt::format("{}:{}: a line longer than {} MiB; is this a text file?", s.path, s.line + 1,
                                 kLineBytesMax >> 20));
    }
    if (feed != nullptr) break;
  }
  if (!any) return false;
  ++s.line;
  if (s.line == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  if (line.ends_with('\r')) line.pop_back();
  if (!is_utf8(line)) return invalid(fmt::format("{}: not valid UTF-8; save the file as UTF-8 and try again", place()));
  return true;
}

std::size_t LineReader::line_number() const { return state_->line; }
const std::string& LineReader::path() const { return state_->path; }
std::string LineReader::place() const { return fmt::format("{}:{}", state_->path, state_->line); }

}  // namespace demarche
