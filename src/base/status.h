// Status and Result: how the runtime and the libraries below it report what went wrong.
// No exception leaves these libraries; tools turn a bad Status into base/error.h's Error.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace litenat {

enum class StatusCode {
  kOk = 0,
  kInvalidArgument,  // the caller's value is outside what the function documents
  kNotFound,         // a file, tensor or key that should be there is not
  kCorrupt,          // a file's content contradicts itself or its format
  kUnsupported,      // well-formed, but this build or machine cannot do it
  kIo,               // the operating system refused to read or write
  kOutOfMemory,
  kInternal,  // a broken invariant of ours
};

/// The outcome of an operation: kOk, or a code with a one-line message that names what was
/// expected and what was found.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

  /// The same status with "context: " in front of the message; kOk stays kOk.
  Status with_context(const std::string& context) const {
    return ok() ? *this : Status(code_, context + ": " + message_);
  }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

inline Status invalid_argument(std::string m) { return {StatusCode::kInvalidArgument, std::move(m)}; }
inline Status not_found(std::string m) { return {StatusCode::kNotFound, std::move(m)}; }
inline Status corrupt(std::string m) { return {StatusCode::kCorrupt, std::move(m)}; }
inline Status unsupported(std::string m) { return {StatusCode::kUnsupported, std::move(m)}; }
inline Status io_error(std::string m) { return {StatusCode::kIo, std::move(m)}; }
inline Status internal_error(std::string m) { return {StatusCode::kInternal, std::move(m)}; }

/// A value of type T, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) {  // NOLINT: implicit on purpose
    if (status_.ok()) status_ = internal_error("a Result was made of an ok Status");
  }

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace litenat

#define LITENAT_CONCAT_INNER(a, b) a##b
#define LITENAT_CONCAT(a, b) LITENAT_CONCAT_INNER(a, b)

/// Returns the Status of `expression` from the enclosing function unless it is ok.
#define LITENAT_RETURN_IF_ERROR(expression)            \
  do {                                                 \
    ::litenat::Status litenat_status_ = (expression);  \
    if (!litenat_status_.ok()) return litenat_status_; \
  } while (false)

/// Assigns the value of a Result to `lhs` (may declare it), or returns its Status.
#define LITENAT_ASSIGN_OR_RETURN(lhs, expression) \
  LITENAT_ASSIGN_OR_RETURN_IMPL(LITENAT_CONCAT(litenat_result_, __LINE__), lhs, expression)
#define LITENAT_ASSIGN_OR_RETURN_IMPL(result, lhs, expression) \
  auto result = (expression);                                  \
  if (!result.ok()) return result.status();                    \
  lhs = std::move(result).value()
