// Runs the program itself, for tests.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "export/testing/tiny_run.h"

namespace litenat::cli::testing {

using export_model::testing::ScopedFolder;

inline std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

struct Outcome {
  int status = 0;  // exit status, or 1000 + signal
  std::string out;
  std::string err;
};

inline void redirect(const std::string& path, int flags, int descriptor) {
  const int file = open(path.c_str(), flags, 0600);
  dup2(file, descriptor);
  close(file);
}

/// Runs `litenat arguments...` with `input` on standard input.
class ProgramRun {
 public:
  ProgramRun(const std::vector<std::string>& arguments, const std::string& input) {
    write_file(folder_ / "in", input);
    pid_ = fork();
    if (pid_ == 0) exec(arguments);
  }
  pid_t pid() const { return pid_; }
  Outcome wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    Outcome outcome;
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    outcome.out = read_file(folder_ / "out");
    outcome.err = read_file(folder_ / "err");
    return outcome;
  }

 private:
  [[noreturn]] void exec(const std::vector<std::string>& arguments) {
    redirect(folder_ / "in", O_RDONLY, STDIN_FILENO);
    redirect(folder_ / "out", O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect(folder_ / "err", O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    std::vector<char*> argv = {const_cast<char*>("litenat")};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    execv(LITENAT_PROGRAM, argv.data());
    _exit(127);
  }

  ScopedFolder folder_;
  pid_t pid_;
};

inline Outcome litenat(const std::vector<std::string>& arguments, const std::string& input = "") {
  return ProgramRun(arguments, input).wait();
}

inline int count_lines(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

}  // namespace litenat::cli::testing
