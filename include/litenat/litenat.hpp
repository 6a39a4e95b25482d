// C++17 over litenat.h: ownership by objects, errors by one exception type. Header only.
//
//   litenat::Model model("model.litenat");
//   litenat::Session session(model);
//   for (const litenat::Candidate& c : session.convert("nihao")) std::puts(c.text.c_str());
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "litenat/litenat.h"

namespace litenat {

/// A call that failed: its status, and one line that says what was expected and found.
class ApiError : public std::runtime_error {
 public:
  ApiError(litenat_status status, const std::string& message)
      : std::runtime_error(message.empty() ? litenat_status_text(status) : message), status_(status) {}
  litenat_status status() const noexcept { return status_; }

 private:
  litenat_status status_;
};

/// An open model: immutable, shared by copies and by the sessions made from it, also across threads.
class Model {
 public:
  /// Opens (maps) the file.
  explicit Model(const std::string& path) {
    open([&](litenat_model** model, char* message, size_t size) {
      return litenat_model_open(path.c_str(), model, message, size);
    });
  }
  /// Uses bytes that stay valid, unchanged and 64-byte aligned for the life of all copies and sessions.
  Model(const void* data, size_t data_size) {
    open([&](litenat_model** model, char* message, size_t size) {
      return litenat_model_open_memory(data, data_size, model, message, size);
    });
  }

  litenat_model_info info() const {
    litenat_model_info info{};
    info.struct_size = sizeof(info);
    const litenat_status status = litenat_model_get_info(get(), &info);
    if (status != LITENAT_STATUS_OK) throw ApiError(status, "");
    return info;
  }
  const litenat_model* get() const noexcept { return model_.get(); }

 private:
  template <typename Open>
  void open(const Open& call) {
    char message[512];
    litenat_model* model = nullptr;
    const litenat_status status = call(&model, message, sizeof(message));
    if (status != LITENAT_STATUS_OK) throw ApiError(status, message);
    model_.reset(model, litenat_model_free);
  }
  std::shared_ptr<litenat_model> model_;
};

struct Candidate {
  std::string text;
  float score = 0;             // natural logarithm
  int32_t input_consumed = 0;  // bytes of the input that the text stands for
};

/// Converts keys; keeps its model alive. One thread at a time.
class Session {
 public:
  explicit Session(Model model, int num_threads = 1) : model_(std::move(model)) {
    litenat_session_options options = litenat_session_default_options();
    options.num_threads = num_threads;
    litenat_session* session = nullptr;
    const litenat_status status = litenat_session_new(model_.get(), &options, &session);
    if (status != LITENAT_STATUS_OK) throw ApiError(status, "");
    session_.reset(session);
  }

  /// The candidates of one line, best first. Throws ApiError.
  std::vector<Candidate> convert(std::string_view line, const litenat_convert_options& options) {
    const litenat_candidate* found = nullptr;
    size_t count = 0;
    const litenat_status status =
        litenat_session_convert(session_.get(), line.data(), line.size(), &options, &found, &count);
    if (status != LITENAT_STATUS_OK) throw ApiError(status, litenat_session_error(session_.get()));
    std::vector<Candidate> result;
    result.reserve(count);
    for (size_t i = 0; i < count; ++i)
      result.push_back({std::string(found[i].text, found[i].text_size), found[i].score, found[i].input_consumed});
    return result;
  }
  std::vector<Candidate> convert(std::string_view line, int num_best = 1) {
    litenat_convert_options options = litenat_convert_default_options();
    options.num_best = num_best;
    return convert(line, options);
  }

 private:
  struct Free {
    void operator()(litenat_session* session) const noexcept { litenat_session_free(session); }
  };
  Model model_;
  std::unique_ptr<litenat_session, Free> session_;
};

}  // namespace litenat
