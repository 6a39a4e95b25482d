// An output folder that fills up aside and appears complete.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace litenat::data {

/// Files written to path() move to the target folder at commit(): a folder that does not exist yet appears as a whole,
/// into one that exists the files are moved one by one. Destroyed without commit(), it leaves the target as it was.
class StagedFolder {
 public:
  /// Creates the folder aside (and parents of the target that are missing). Throws Error when it cannot.
  explicit StagedFolder(const std::string& target);
  ~StagedFolder();
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void commit();
  /// Files that such a run may write: commit() removes those of the target that this one has not written, so that the
  /// folder never holds parts of two runs.
  void own(std::vector<std::string> names) { owned_ = std::move(names); }

 private:
  void remove_stale(const std::vector<std::string>& written);

  std::filesystem::path target_;
  std::filesystem::path path_;
  bool target_exists_;
  std::vector<std::string> owned_;
};

/// Throws Error when a run that writes files called `names` into the folder `output` would overwrite one of its
/// `inputs`, or when the folder lies in an input folder: the next run would read it as text.
void check_inputs_survive(const std::vector<std::string>& inputs, const std::string& output,
                          const std::vector<std::string>& names);

}  // namespace litenat::data
