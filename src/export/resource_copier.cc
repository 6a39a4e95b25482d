#include "export/resource_copier.h"

#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "data/text_tokenizer.h"
#include "runtime/model.h"
#include "text/dictionary.h"
#include "text/lexicon.h"
#include "text/ngram_model.h"

namespace litenat::export_model {
namespace {

namespace fs = std::filesystem;
using format::Container;
using format::Tensor;

bool starts_with(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

class ResourceChecker {
 public:
  ResourceChecker(const Container& resources, const graph::ModelSpec& spec) : resources_(resources), spec_(spec) {}

  void check() const {
    require(runtime::kTargetDictionary);
    check_dictionary(runtime::kTargetDictionary, "target_vocabulary", spec_.target_vocabulary);
    const bool own_source = graph::has_decoder(spec_) && spec_.decoder.share != graph::Sharing::kAll;
    if (own_source) require(runtime::kSourceDictionary);
    if (!blob(runtime::kSourceDictionary).empty())
      check_dictionary(runtime::kSourceDictionary, "source_vocabulary", spec_.source_vocabulary);
    if (!blob(runtime::kLexicon).empty())
      throw_if_error(text::Lexicon::parse(blob(runtime::kLexicon), where(runtime::kLexicon)).status());
    for (const char* name : {runtime::kWordModel, runtime::kUnitModel})
      if (!blob(name).empty()) throw_if_error(text::NgramModel::parse(blob(name), where(name)).status());
    data::make_text_tokenizer(characters(runtime::kTokenizer), where(runtime::kTokenizer));
  }

 private:
  Span<const uint8_t> blob(const char* name) const {
    const Tensor* tensor = resources_.find(name);
    return tensor == nullptr ? Span<const uint8_t>() : tensor->bytes;
  }
  std::string_view characters(const char* name) const {
    return {reinterpret_cast<const char*>(blob(name).data()), blob(name).size()};
  }
  std::string where(const char* name) const { return resources_.name() + ", tensor " + name; }

  void require(const char* name) const {
    if (blob(name).empty()) throw Error(resources_.name() + ": has no tensor " + std::string(name));
  }

  void check_dictionary(const char* name, const char* field, int64_t size) const {
    const auto dictionary = value_or_throw(text::Dictionary::parse(characters(name), where(name)));
    if (dictionary.size() == size) return;
    throw Error(where(name) + ": has " + std::to_string(dictionary.size()) + " tokens, expected " + field + " = " +
                std::to_string(size) + " of the model: use the resources that the model was trained with");
  }

  const Container& resources_;
  const graph::ModelSpec& spec_;
};

/// resources.litenat of a checkpoint, or "" when there is none.
std::string find_resources(const std::string& checkpoint_path) {
  const fs::path folder = fs::absolute(checkpoint_path).parent_path();
  std::error_code error;
  for (const fs::path& candidate : {folder / "resources.litenat", folder.parent_path() / "resources.litenat"})
    if (fs::exists(candidate, error)) return candidate.string();
  return "";
}

}  // namespace

std::shared_ptr<const Container> open_resources(const std::string& checkpoint_path, const std::string& given,
                                                const graph::ModelSpec& spec) {
  const std::string path = given.empty() ? find_resources(checkpoint_path) : given;
  if (!path.empty()) return value_or_throw(Container::open(path));
  if (spec.input == graph::InputKind::kTokens && !graph::has_decoder(spec)) return nullptr;
  throw Error(checkpoint_path +
              ": no resources.litenat in its folder or the one above: put the run's there, or name it with `litenat "
              "export --resources`");
}

void copy_resources(const Container& resources, const graph::ModelSpec& spec, format::ContainerWriter* writer) {
  ResourceChecker(resources, spec).check();
  for (const auto& [name, tensor] : resources.tensors())
    if (starts_with(name, "text.")) writer->add(name, tensor.type, tensor.shape, tensor.bytes);
  for (const auto& [key, value] : resources.metadata())
    if (key != runtime::kMetaQuantization) writer->set_metadata(key, value);  // the model's own are set later
}

}  // namespace litenat::export_model
