#include "train/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/json_fields.h"

namespace litenat::train {
namespace {

namespace fs = std::filesystem;

// A run may go on with other values of these; a name that ends in '.' stands for all settings below it.
constexpr const char* kHarmless[] = {"train.run_dir",
                                     "train.max_updates",
                                     "train.max_epochs",
                                     "train.max_minutes",
                                     "train.validate_every",
                                     "train.patience",
                                     "train.save_every",
                                     "train.keep_last",
                                     "train.log_every",
                                     "train.max_skipped",
                                     "train.device",
                                     "train.tensorboard",
                                     "train.deterministic",
                                     "train.rank_timeout",
                                     "data.dir",
                                     "data.resources",
                                     "data.num_workers",
                                     "data.prefetch",
                                     "data.valid",
                                     "data.tokenizer",
                                     "train.bleu_sentences",
                                     "data.valid_sentences",
                                     "decode.",
                                     "beam.",
                                     "parallel."};

bool is_harmless(const std::string& path) {
  return std::any_of(std::begin(kHarmless), std::end(kHarmless), [&](const char* name) {
    const size_t size = std::strlen(name);
    return name[size - 1] == '.' ? path.compare(0, size, name) == 0 : path == name;
  });
}

void flatten(const Json& json, const std::string& path, std::map<std::string, std::string>* out) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.members()) flatten(value, json_fields::join_path(path, key), out);
  } else if (json.is_array() && !json.items().empty()) {
    for (size_t i = 0; i < json.items().size(); ++i)
      flatten(json.items()[i], path + "[" + std::to_string(i) + "]", out);
  } else {
    (*out)[path] = json.dump();
  }
}

/// True for "NAME.tmp.PID-N": what a process that was killed left of a file that it was writing (base/atomic_file.h).
bool is_remains(const std::string& name) {
  const std::string mark = ".tmp.";
  const size_t at = name.rfind(mark);
  return at != std::string::npos && at + mark.size() < name.size() &&
         name.find_first_not_of("0123456789-", at + mark.size()) == std::string::npos;
}

/// "1200" of "update_1200.safetensors", else "".
std::string number_of(const std::string& name) {
  const std::string head = "update_", tail = ".safetensors";
  if (name.size() <= head.size() + tail.size() || name.compare(0, head.size(), head) != 0) return "";
  if (name.compare(name.size() - tail.size(), tail.size(), tail) != 0) return "";
  const std::string digits = name.substr(head.size(), name.size() - head.size() - tail.size());
  return digits.find_first_not_of("0123456789") == std::string::npos && digits.size() < 16 ? digits : "";
}

}  // namespace

RunFolder::RunFolder(const std::string& path, bool restart, bool owner) : path_(path) {
  if (!owner) return;
  std::error_code error;
  fs::create_directories(path_ + "/checkpoints", error);
  if (error) throw Error(path_ + "/checkpoints: cannot make the folder: " + error.message());
  take_lock();
  if (restart) remove_run();
  remove_remains();
}

RunFolder::~RunFolder() {
  if (lock_ >= 0) ::close(lock_);
}

void RunFolder::take_lock() {
  const std::string file = path_ + "/lock";
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0) throw Error(file + ": cannot open: " + std::strerror(errno));
  // The kernel releases it however the process ends.
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK)
    throw Error(path_ + ": another process trains in this folder: wait for it, or choose another --output");
  throw Error(file + ": cannot lock: " + std::strerror(errno) + ": choose a folder on a file system with locks");
}

void RunFolder::remove_remains() const {
  for (const std::string& folder : {path_, path_ + "/checkpoints"}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error))
      if (is_remains(entry.path().filename().string())) fs::remove(entry.path(), error);
  }
}

void RunFolder::remove_run() const {
  for (const std::string& path : {last(), best(), log(), tensorboard()}) {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) throw Error(path + ": cannot remove the earlier run: " + error.message());
  }
  prune(0);
}

std::string RunFolder::numbered(int64_t update) const {
  return path_ + "/checkpoints/update_" + std::to_string(update) + ".safetensors";
}

bool RunFolder::has_checkpoint() const { return fs::exists(last()); }

void RunFolder::prune(int keep) const {
  std::vector<int64_t> updates;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path_ + "/checkpoints", error)) {
    const std::string digits = number_of(entry.path().filename().string());
    if (!digits.empty()) updates.push_back(std::stoll(digits));
  }
  std::sort(updates.rbegin(), updates.rend());
  for (size_t i = static_cast<size_t>(keep); i < updates.size(); ++i) fs::remove(numbered(updates[i]), error);
}

std::vector<std::string> changed_settings(const TrainConfig& before, const TrainConfig& now) {
  std::map<std::string, std::string> old_values, new_values;
  flatten(fields_to_json(before), "", &old_values);
  flatten(fields_to_json(now), "", &new_values);
  std::vector<std::string> changed;
  for (const auto& [path, value] : new_values) {
    const auto old = old_values.find(path);
    if ((old == old_values.end() || old->second != value) && !is_harmless(path)) changed.push_back(path);
  }
  for (const auto& [path, value] : old_values)
    if (new_values.count(path) == 0 && !is_harmless(path)) changed.push_back(path);
  return changed;
}

}  // namespace litenat::train
