// The program as a server, in a process of its own whose memory can be looked at.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/temp_folder.h"

namespace demarche::proto::tests {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kMemoryIsOwn = false;  // the sanitizer's, too: its size says nothing
#else
inline constexpr bool kMemoryIsOwn = true;
#endif

// Runs a program to its end; its exit status.
inline int run(const std::string& command) { return std::system(command.c_str()); }

class ServerProcess {
 public:
  // On a store of the Syria talks. `before`: shell commands in front, as "ulimit -n 80;".
  explicit ServerProcess(const std::string& arguments = "", const std::string& before = "") {
    const std::string store = folder_.path("talks.dm");
    const std::string source = DEMARCHE_SOURCE_DIR "/examples/syria-2016/";
    REQUIRE(run(std::string(DEMARCHE_PROGRAM) + " import " + source + "sources.jsonl " + source + "actors.jsonl " +
                source + "interactions.jsonl --into " + store + " --as jsonl >/dev/null 2>&1") == 0);
    const std::string command = before + " exec " DEMARCHE_PROGRAM " serve " + store +
                                " --listen unix:" + folder_.path("socket") + " " + arguments + " 2>" +
                                folder_.path("log");
    char* argv[] = {const_cast<char*>("sh"), const_cast<char*>("-c"), const_cast<char*>(command.c_str()), nullptr};
    REQUIRE(::posix_spawn(&pid_, "/bin/sh", nullptr, nullptr, argv, environ) == 0);
    REQUIRE(eventually([&] { return log().find("listening on") != std::string::npos || !alive(); }));
    REQUIRE(alive());
  }
  ~ServerProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  [[nodiscard]] std::string address() const { return "demarche+unix:" + folder_.path("socket"); }
  [[nodiscard]] const demarche::tests::TempFolder& folder() const { return folder_; }
  [[nodiscard]] std::string log() const {
    std::ifstream in(folder_.path("log"));
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  [[nodiscard]] bool alive() { return pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0; }

  // Resident memory in MB, now and at its highest.
  [[nodiscard]] double rss_mb() const { return status("VmRSS:"); }
  [[nodiscard]] double peak_mb() const { return status("VmHWM:"); }
  // From here on the highest is counted anew.
  void forget_peak() const { std::ofstream("/proc/" + std::to_string(pid_) + "/clear_refs") << 5; }

  // Asks it to stop; its exit status.
  int terminate() {
    ::kill(pid_, SIGTERM);
    int result = 0;
    ::waitpid(pid_, &result, 0);
    pid_ = -1;
    return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
  }

  // Asks again and again, for twenty seconds at most.
  template <typename F>
  static bool eventually(F&& holds) {
    for (int i = 0; i < 1000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }

 private:
  [[nodiscard]] double status(const std::string& field) const {
    std::ifstream in("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with(field)) return std::stod(line.substr(field.size())) / 1024;
    }
    return 0;
  }
  demarche::tests::TempFolder folder_;
  pid_t pid_ = -1;
};

}  // namespace demarche::proto::tests
