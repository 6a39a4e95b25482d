// include/litenat/litenat.h over the C++ runtime. Nothing may leave these functions but their results: arguments are
// checked, and exceptions (memory, above all) become statuses.
#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "decode/ime_decoder.h"
#include "graph/graph.h"
#include "kernels/kernels.h"
#include "litenat/litenat.h"
#include "runtime/executor.h"
#include "runtime/model.h"

using litenat::Result;
using litenat::Status;
using litenat::StatusCode;

struct litenat_model {
  std::shared_ptr<const litenat::runtime::Model> model;
  std::string description;
  litenat::graph::Cost cost;
};

struct litenat_session {
  std::shared_ptr<const litenat::runtime::Model> model;
  std::unique_ptr<litenat::runtime::Executor> executor;
  std::unique_ptr<litenat::decode::ImeDecoder> decoder;  // null when the model is no input method
  std::vector<litenat::decode::Candidate> candidates;
  std::vector<litenat_candidate> results;
  std::string error;
};

namespace {

constexpr size_t kMaxStructSize = 4096;  // a larger struct_size was never initialised
constexpr int32_t kMaxThreads = 1024;
constexpr int32_t kMaxCandidates = 256;
constexpr int64_t kCostLength = 16;

litenat_status to_c(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return LITENAT_STATUS_OK;
    case StatusCode::kInvalidArgument:
      return LITENAT_STATUS_INVALID_ARGUMENT;
    case StatusCode::kNotFound:
      return LITENAT_STATUS_NOT_FOUND;
    case StatusCode::kCorrupt:
      return LITENAT_STATUS_CORRUPT;
    case StatusCode::kUnsupported:
      return LITENAT_STATUS_UNSUPPORTED;
    case StatusCode::kIo:
      return LITENAT_STATUS_IO;
    case StatusCode::kOutOfMemory:
      return LITENAT_STATUS_OUT_OF_MEMORY;
    case StatusCode::kInternal:
      break;
  }
  return LITENAT_STATUS_INTERNAL;
}

/// Runs `body` (-> Status); an exception becomes a status too.
template <typename Body>
Status guard(const Body& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return {StatusCode::kOutOfMemory, "out of memory"};
  } catch (const std::exception& e) {
    return litenat::internal_error(e.what());
  } catch (...) {
    return litenat::internal_error("an unknown exception");
  }
}

/// Copies `text` into the caller's buffer, cut between characters, NUL-terminated.
void copy_message(const std::string& text, char* message, size_t size) {
  if (message == nullptr || size == 0) return;
  size_t length = std::min(text.size(), size - 1);
  while (length < text.size() && length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
  std::memcpy(message, text.data(), length);
  message[length] = '\0';
}

Status make_model(Result<std::shared_ptr<const litenat::format::Container>> container, litenat_model** out) {
  if (!container.ok()) return container.status();
  auto model = std::make_unique<litenat_model>();
  LITENAT_ASSIGN_OR_RETURN(model->model, litenat::runtime::Model::from_container(std::move(container).value()));
  model->description = litenat::graph::to_json(model->model->spec());
  model->cost =
      litenat::graph::count_cost(model->model->graph(), model->model->spec(), kCostLength, kCostLength).back().cost;
  *out = model.release();
  return {};
}

/// Runs `open` (-> Result of a container), and reports to the caller's buffer.
template <typename Open>
litenat_status open_model(const Open& open, litenat_model** model, char* message, size_t message_size) {
  if (message != nullptr && message_size > 0) message[0] = '\0';
  if (model != nullptr) *model = nullptr;
  const Status status = guard([&]() -> Status {
    if (model == nullptr) return litenat::invalid_argument("no place for the model");
    return make_model(open(), model);
  });
  if (!status.ok()) copy_message(status.message(), message, message_size);
  return to_c(status.code());
}

/// A caller's struct as this version knows it: the bytes that it has, over the defaults for those that it lacks.
template <typename Options>
Status read_options(const Options* given, Options* options) {
  if (given == nullptr) return {};
  const size_t size = given->struct_size;
  if (size < sizeof(size_t) || size > kMaxStructSize)
    return litenat::invalid_argument("struct_size " + std::to_string(size) + ": use the default_options function");
  std::memcpy(options, given, std::min(size, sizeof(Options)));
  return {};
}

Status check_range(const char* name, int32_t value, int32_t low, int32_t high) {
  if (value >= low && value <= high) return {};
  return litenat::invalid_argument(std::string(name) + ": expected " + std::to_string(low) + " to " +
                                   std::to_string(high) + ", found " + std::to_string(value));
}

Result<litenat::decode::ImeOptions> ime_options(const litenat::runtime::Model& model,
                                                const litenat_convert_options* given) {
  litenat_convert_options options = litenat_convert_default_options();
  LITENAT_RETURN_IF_ERROR(read_options(given, &options));
  LITENAT_RETURN_IF_ERROR(check_range("num_best", options.num_best, 1, kMaxCandidates));
  LITENAT_RETURN_IF_ERROR(check_range("beam", options.beam, 0, kMaxCandidates));
  litenat::decode::ImeOptions result = model.ime_options();
  result.num_best = options.num_best;
  // A beam narrower than the list could not fill it; an explicit one is the caller's choice.
  result.beam = options.beam > 0 ? options.beam : std::max(result.beam, result.num_best);
  if (options.unconstrained != 0) result.constrained = false;
  if (options.strict != 0) result.strict = true;
  return result;
}

Status convert(litenat_session* session, const char* line, size_t size, const litenat_convert_options* given) {
  if (session->decoder == nullptr) return litenat::unsupported("the model is no input method: it has no lexicon");
  if (line == nullptr && size > 0) return litenat::invalid_argument("no line");
  LITENAT_ASSIGN_OR_RETURN(const litenat::decode::ImeOptions options, ime_options(*session->model, given));
  const std::string_view text(line == nullptr ? "" : line, size);
  LITENAT_ASSIGN_OR_RETURN(session->candidates, session->decoder->convert(text, options));
  if (session->candidates.size() > static_cast<size_t>(options.num_best))
    session->candidates.resize(static_cast<size_t>(options.num_best));
  for (const litenat::decode::Candidate& candidate : session->candidates)
    session->results.push_back(
        {candidate.text.c_str(), candidate.text.size(), candidate.score, static_cast<int32_t>(size)});
  return {};
}

Status new_session(const litenat_model* model, const litenat_session_options* given, litenat_session** out) {
  litenat_session_options options = litenat_session_default_options();
  LITENAT_RETURN_IF_ERROR(read_options(given, &options));
  LITENAT_RETURN_IF_ERROR(check_range("num_threads", options.num_threads, 1, kMaxThreads));
  auto session = std::make_unique<litenat_session>();
  session->model = model->model;
  LITENAT_ASSIGN_OR_RETURN(session->executor, litenat::runtime::Executor::create(session->model, options.num_threads));
  if (session->model->ime() != nullptr)
    session->decoder = std::make_unique<litenat::decode::ImeDecoder>(session->executor.get(), session->model->ime());
  *out = session.release();
  return {};
}

const char* isa_in_use() {
  Result<const litenat::kernels::Kernels*> kernels = litenat::kernels::kernels();
  return kernels.ok() ? litenat::kernels::name_of(kernels.value()->isa) : "none";
}

litenat_model_info describe(const litenat_model& model) {
  const litenat::graph::ModelSpec& spec = model.model->spec();
  litenat_model_info info{};
  info.family = litenat::graph::kFamilyNames.name(spec.family);
  info.description = model.description.c_str();
  info.isa = isa_in_use();
  info.parameters = static_cast<uint64_t>(model.cost.parameters());
  info.file_size_bytes = model.model->container().size_bytes();
  info.multiply_adds_16 = static_cast<uint64_t>(model.cost.multiply_adds);
  info.source_vocabulary = static_cast<int32_t>(spec.source_vocabulary);
  info.target_vocabulary = static_cast<int32_t>(spec.target_vocabulary);
  info.is_quantized = model.model->is_quantized() ? 1 : 0;
  return info;
}

Status fill_info(const litenat_model& model, litenat_model_info* out) {
  const size_t size = out->struct_size;
  if (size < sizeof(size_t) || size > kMaxStructSize)
    return litenat::invalid_argument("struct_size " + std::to_string(size) + ": set it to sizeof(litenat_model_info)");
  litenat_model_info info = describe(model);
  info.struct_size = size;
  const size_t known = std::min(size, sizeof(info));
  std::memcpy(out, &info, known);
  std::memset(reinterpret_cast<char*>(out) + known, 0, size - known);  // fields of a later version
  return {};
}

}  // namespace

extern "C" {

const char* litenat_version(void) { return LITENAT_VERSION; }

const char* litenat_status_text(litenat_status status) {
  switch (status) {
    case LITENAT_STATUS_OK:
      return "ok";
    case LITENAT_STATUS_INVALID_ARGUMENT:
      return "invalid argument";
    case LITENAT_STATUS_NOT_FOUND:
      return "not found";
    case LITENAT_STATUS_CORRUPT:
      return "corrupt file";
    case LITENAT_STATUS_UNSUPPORTED:
      return "not supported by this build, machine or model";
    case LITENAT_STATUS_IO:
      return "input or output failed";
    case LITENAT_STATUS_OUT_OF_MEMORY:
      return "out of memory";
    case LITENAT_STATUS_INTERNAL:
      return "internal error";
  }
  return "unknown status";
}

litenat_status litenat_model_open(const char* path, litenat_model** model, char* message, size_t message_size) {
  auto open = [&]() -> Result<std::shared_ptr<const litenat::format::Container>> {
    if (path == nullptr) return litenat::invalid_argument("no path");
    return litenat::format::Container::open(path);
  };
  return open_model(open, model, message, message_size);
}

litenat_status litenat_model_open_memory(const void* data, size_t size, litenat_model** model, char* message,
                                         size_t message_size) {
  auto open = [&]() -> Result<std::shared_ptr<const litenat::format::Container>> {
    if (data == nullptr) return litenat::invalid_argument("no data");
    if (reinterpret_cast<uintptr_t>(data) % 64 != 0)
      return litenat::invalid_argument("the data do not begin on a multiple of 64 bytes");
    return litenat::format::Container::from_memory({static_cast<const uint8_t*>(data), size}, nullptr, "memory");
  };
  return open_model(open, model, message, message_size);
}

void litenat_model_free(litenat_model* model) { delete model; }

litenat_status litenat_model_get_info(const litenat_model* model, litenat_model_info* info) {
  if (model == nullptr || info == nullptr) return LITENAT_STATUS_INVALID_ARGUMENT;
  return to_c(guard([&] { return fill_info(*model, info); }).code());
}

litenat_session_options litenat_session_default_options(void) { return {sizeof(litenat_session_options), 1}; }

litenat_status litenat_session_new(const litenat_model* model, const litenat_session_options* options,
                                   litenat_session** session) {
  if (session != nullptr) *session = nullptr;
  if (model == nullptr || session == nullptr) return LITENAT_STATUS_INVALID_ARGUMENT;
  return to_c(guard([&] { return new_session(model, options, session); }).code());
}

void litenat_session_free(litenat_session* session) { delete session; }

const char* litenat_session_error(const litenat_session* session) {
  return session == nullptr ? "" : session->error.c_str();
}

litenat_convert_options litenat_convert_default_options(void) { return {sizeof(litenat_convert_options), 1, 0, 0, 0}; }

litenat_status litenat_session_convert(litenat_session* session, const char* line, size_t line_size,
                                       const litenat_convert_options* options, const litenat_candidate** candidates,
                                       size_t* count) {
  if (candidates != nullptr) *candidates = nullptr;
  if (count != nullptr) *count = 0;
  if (session == nullptr) return LITENAT_STATUS_INVALID_ARGUMENT;
  session->error.clear();
  session->results.clear();
  const Status status = guard([&]() -> Status {
    if (candidates == nullptr || count == nullptr) return litenat::invalid_argument("no place for the candidates");
    return convert(session, line, line_size, options);
  });
  if (!status.ok()) {
    session->results.clear();
    // Storing the message may fail in its turn; the status stands alone then.
    (void)guard([&] {
      session->error = status.message();
      return Status();
    });
    return to_c(status.code());
  }
  // Both are there, or the status would not be ok; said again for readers and analysers.
  if (candidates != nullptr) *candidates = session->results.data();
  if (count != nullptr) *count = session->results.size();
  return LITENAT_STATUS_OK;
}

}  // extern "C"
