// Another process, and the lines it writes. Started with posix_spawn: after fork() alone RocksDB's threads would be
// missing in the child.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace demarche::tests {

class Child {
 public:
  // `settings`: "NAME=value", added to the environment.
  explicit Child(std::vector<std::string> arguments, std::vector<std::string> settings = {}) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    std::string program = DEMARCHE_CRASH_WRITER;
    std::vector<char*> argv{program.data()};
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::vector<char*> environment;
    for (char** e = environ; *e != nullptr; ++e) environment.push_back(*e);
    for (std::string& setting : settings) environment.push_back(setting.data());
    environment.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    const int error = ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    out_ = ::fdopen(ends[0], "r");
    if (error != 0) throw std::runtime_error(std::string("cannot start ") + argv[0]);
  }
  ~Child() {
    kill();
    wait();
    std::fclose(out_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The next whole line; "" at its end. A line torn by the end of the process does not count.
  std::string line() {
    std::string text;
    for (int c = std::fgetc(out_); c != EOF; c = std::fgetc(out_)) {
      if (c == '\n') return text;
      text += static_cast<char>(c);
    }
    return {};
  }
  void kill() const {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
  }
  // The signal that ended it, or 0 with its exit status in `status`.
  int wait() {
    if (pid_ > 0) {
      int state = 0;
      ::waitpid(pid_, &state, 0);
      pid_ = -1;
      signal_ = WIFSIGNALED(state) ? WTERMSIG(state) : 0;
      status = WIFEXITED(state) ? WEXITSTATUS(state) : -1;
    }
    return signal_;
  }
  int status = -1;

 private:
  pid_t pid_ = -1;
  int signal_ = 0;
  FILE* out_ = nullptr;
};

}  // namespace demarche::tests
