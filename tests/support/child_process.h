// This test program started again as another process, with one of its hidden cases. Never forked: RocksDB has threads.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace demarche::tests {

class ChildProcess {
 public:
  // `tag`: of the hidden case, as "[.writer]". `variables`: "NAME=value", besides those of this process.
  ChildProcess(const std::string& tag, const std::vector<std::string>& variables) {
    int ends[2];
    if (::pipe(ends) != 0) FAIL("no pipe");
    std::vector<char*> environment;
    for (char** e = environ; *e != nullptr; ++e) environment.push_back(*e);
    for (const std::string& variable : variables) environment.push_back(const_cast<char*>(variable.c_str()));
    environment.push_back(nullptr);
    char* arguments[] = {const_cast<char*>("engine_test"), const_cast<char*>(tag.c_str()), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    const int error = ::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments, environment.data());
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    out_ = ::fdopen(ends[0], "r");
    if (error != 0) FAIL("cannot start a child");
  }
  ~ChildProcess() {
    kill();
    std::fclose(out_);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // The next line that the child begins with '@', without it; "" at its end.
  std::string line() {
    char buffer[4096];
    while (std::fgets(buffer, sizeof buffer, out_) != nullptr) {
      const std::string text = buffer;
      if (text[0] == '@' && text.back() == '\n') return text.substr(1, text.size() - 2);
      other_ += text;
    }
    return "";
  }
  // What it printed besides: the report of a failed check.
  [[nodiscard]] const std::string& other() const { return other_; }

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  // Waits for its end; the exit status, or -1 if it was killed.
  int wait() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(pid_, &status, 0) < 0) return -1;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

  // In the child: a line for line().
  static void say(const std::string& line) {
    const std::string text = "@" + line + "\n";
    if (::write(1, text.data(), text.size()) < 0) std::abort();
  }

 private:
  pid_t pid_ = -1;
  FILE* out_ = nullptr;
  std::string other_;
};

}  // namespace demarche::tests
