#include "data/staged_folder.h"

#include <unistd.h>
#include <algorithm>
#include <system_error>

#include "base/error.h"

namespace litenat::data {

namespace fs = std::filesystem;

StagedFolder::StagedFolder(const std::string& target) {
  std::error_code error;
  target_ = fs::absolute(target, error).lexically_normal();
  if (!target_.has_filename()) target_ = target_.parent_path();  // "out/"
  target_exists_ = fs::exists(target_, error);
  if (target_exists_ && !fs::is_directory(target_, error)) throw Error(target + ": expected a folder, found a file");
  const std::string suffix = ".tmp." + std::to_string(::getpid());
  // Aside on the same file system, so that moving is renaming: in the target where it exists (it may be a mount point).
  path_ = target_exists_ ? target_ / suffix : fs::path(target_.string() + suffix);
  fs::remove_all(path_, error);  // of a process that had our number and was killed
  fs::create_directories(path_, error);
  if (error) throw Error("cannot create the folder " + path_.string() + ": " + error.message());
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

void StagedFolder::commit() {
  std::error_code error;
  if (!target_exists_) {
    fs::rename(path_, target_, error);
  } else {
    std::vector<std::string> written;
    for (const fs::directory_entry& entry : fs::directory_iterator(path_)) {
      fs::rename(entry.path(), target_ / entry.path().filename(), error);
      if (error) break;
      written.push_back(entry.path().filename().string());
    }
    if (!error) fs::remove(path_, error);
    if (!error) remove_stale(written);
  }
  if (error) throw Error("cannot move the finished files to " + target_.string() + ": " + error.message());
  path_.clear();
}

void StagedFolder::remove_stale(const std::vector<std::string>& written) {
  std::error_code ignored;
  for (const std::string& name : owned_)
    if (std::find(written.begin(), written.end(), name) == written.end()) fs::remove(target_ / name, ignored);
}

void check_inputs_survive(const std::vector<std::string>& inputs, const std::string& output,
                          const std::vector<std::string>& names) {
  std::error_code error;
  const fs::path folder = fs::weakly_canonical(fs::absolute(output, error), error);
  for (const std::string& input : inputs) {
    if (input == "-") continue;
    const fs::path path = fs::weakly_canonical(fs::absolute(input, error), error);
    if (fs::is_directory(path, error)) {
      const fs::path relative = folder.lexically_relative(path);
      if (!relative.empty() && *relative.begin() != "..")
        throw Error("the output folder " + output + " lies in the input folder " + input +
                    ", so the next run would read it as text: choose another one");
      continue;
    }
    for (const std::string& name : names)
      if (fs::weakly_canonical(folder / name, error) == path)
        throw Error(input + ": an input that the output would overwrite: choose another output folder than " + output);
  }
}

}  // namespace litenat::data
