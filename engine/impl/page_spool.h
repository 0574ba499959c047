// Pages put aside in order: in memory up to a limit, beyond it in a file without a name, which the system removes with
// the process whatever happens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.h"

namespace demarche::impl {

class PageSpool {
 public:
  // The file, if one is needed, is made in `folder`.
  PageSpool(std::string folder, std::size_t memory_bytes) : folder_(std::move(folder)), memory_bytes_(memory_bytes) {}
  ~PageSpool();
  PageSpool(const PageSpool&) = delete;
  PageSpool& operator=(const PageSpool&) = delete;

  // Errors: kIo (the disk is full).
  [[nodiscard]] Result<void> append(std::string page);
  // Calls `read` with each page in order, from number `first` on, until one call fails.
  [[nodiscard]] Result<void> for_each(std::size_t first,
                                      const std::function<Result<void>(std::string_view page)>& read) const;
  [[nodiscard]] std::size_t size() const { return lengths_.size(); }

 private:
  [[nodiscard]] Result<void> spill();

  std::string folder_;
  std::size_t memory_bytes_;
  std::vector<std::string> pages_;  // those not in the file, after those that are
  std::size_t pages_bytes_ = 0;
  std::vector<std::uint32_t> lengths_;  // of all pages
  std::size_t in_file_ = 0;
  int fd_ = -1;
};

}  // namespace demarche::impl
