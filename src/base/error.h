// The exception of the tools (data, config, nn, train, quant, export, cli). The runtime never
// throws; cli/main catches this one type and prints its one line.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "base/status.h"

namespace litenat {

/// A failed operation of a tool; what() is one line: what, where, expected, found, what to do.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
};

/// Wrong usage of a command (exit status 2 rather than 1).
class UsageError : public Error {
 public:
  using Error::Error;
};

/// The user asked to stop (SIGINT or SIGTERM); exit status 128 + signal.
class Interrupted : public Error {
 public:
  explicit Interrupted(int number) : Error("interrupted"), signal(number) {}
  const int signal;
};

inline void throw_if_error(const Status& status) {
  if (!status.ok()) throw Error(status.message());
}

template <typename T>
T value_or_throw(Result<T> result) {
  if (!result.ok()) throw Error(result.status().message());
  return std::move(result).value();
}

}  // namespace litenat
