// An output folder that fills up aside and appears complete.
#pragma once

#include <filesystem>
#include <string>

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

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
  bool target_exists_;
};

}  // namespace litenat::data
