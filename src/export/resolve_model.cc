#include "export/resolve_model.h"

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "export/checkpoint_export.h"
#include "format/container.h"

namespace litenat::export_model {
namespace {

namespace fs = std::filesystem;

/// A folder under TMPDIR that goes away with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "litenat-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      throw Error("cannot make a folder " + pattern + ": set TMPDIR to a folder that can be written");
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;  // nothing more can be done at this point
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// The file of a run folder that stands for the model.
std::string file_of_run(const std::string& folder) {
  const fs::path run(folder);
  for (const char* name : {"checkpoints/best.safetensors", "checkpoints/last.safetensors", "model.litenat"})
    if (is_there(run / name)) return (run / name).string();
  throw Error(folder +
              ": is no run folder: it holds none of checkpoints/best.safetensors, checkpoints/last.safetensors, "
              "model.litenat");
}

/// The file that `path` stands for; throws when there is nothing.
std::string file_of(const std::string& path) {
  if (is_folder(path)) return file_of_run(path);
  if (!is_there(path)) throw Error(path + ": does not exist, expected a run folder, a checkpoint or a .litenat file");
  return path;
}

bool is_deployable(const std::string& path) {
  return value_or_throw(format::Container::open(path))->metadata(runtime::kMetaVersion) != nullptr;
}

ResolvedModel open_deployable(const std::string& path) {
  ResolvedModel result;
  result.model = value_or_throw(runtime::Model::open(path));
  result.path = path;
  result.size_bytes = result.model->container().size_bytes();
  return result;
}

}  // namespace

std::string find_checkpoint(const std::string& path) {
  const std::string file = file_of(path);
  return is_deployable(file) ? "" : file;
}

ResolvedModel resolve_model(const std::string& path, bool use_average) {
  const std::string file = file_of(path);
  if (is_deployable(file)) return open_deployable(file);
  const TemporaryFolder folder;
  const std::string exported = (folder.path() / "model.litenat").string();
  ExportOptions options;
  options.use_average = use_average;
  export_checkpoint(file, exported, options);
  ResolvedModel result = open_deployable(exported);  // the mapping outlives the name
  result.path = file;
  result.checkpoint_path = file;
  return result;
}

}  // namespace litenat::export_model
