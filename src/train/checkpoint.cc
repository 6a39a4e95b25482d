#include "train/checkpoint.h"

#include "base/error.h"
#include "base/json_fields.h"

namespace litenat::train {
namespace {

using format::TensorType;
using torch::Tensor;

constexpr const char* kMetaSpec = "litenat.spec";
constexpr const char* kMetaConfig = "litenat.config";
constexpr const char* kMetaState = "litenat.state";
constexpr const char* kMetaDecode = "litenat.decode";

struct TypePair {
  torch::ScalarType torch_type;
  TensorType type;
};
constexpr TypePair kTypes[] = {{torch::kFloat32, TensorType::kF32},
                               {torch::kFloat64, TensorType::kF64},
                               {torch::kInt64, TensorType::kI64},
                               {torch::kUInt8, TensorType::kU8}};

TensorType container_type(torch::ScalarType type) {
  for (const TypePair& pair : kTypes)
    if (pair.torch_type == type) return pair.type;
  throw Error(std::string("checkpoints hold no tensors of type ") + c10::toString(type));
}

torch::ScalarType torch_type(TensorType type, const std::string& where) {
  for (const TypePair& pair : kTypes)
    if (pair.type == type) return pair.torch_type;
  throw Error(where + ": a checkpoint has no tensors of type " + format::name_of(type));
}

/// A view of a container's bytes.
Tensor view_of(const format::Tensor& tensor, const std::string& where) {
  return torch::from_blob(const_cast<uint8_t*>(tensor.bytes.data()), tensor.shape, torch_type(tensor.type, where));
}

/// Adds tensors, keeping host copies of those on a device alive in `held`.
void add_all(const std::string& prefix, const NamedTensors& tensors, std::vector<Tensor>* held,
             format::ContainerWriter* writer) {
  for (const auto& [name, tensor] : tensors) {
    held->push_back(tensor.detach().to(torch::kCPU).contiguous());
    const Tensor& t = held->back();
    writer->add(prefix + "/" + name, container_type(t.scalar_type()), t.sizes().vec(),
                {static_cast<const uint8_t*>(t.const_data_ptr()), t.nbytes()});
  }
}

const std::string& metadata(const format::Container& container, const char* key) {
  const std::string* value = container.metadata(key);
  if (value == nullptr)
    throw Error(container.name() + ": has no metadata " + key + ", so it is no checkpoint of `litenat train`");
  return *value;
}

}  // namespace

void write_checkpoint(const std::string& path, const CheckpointContent& content) {
  format::ContainerWriter writer;
  std::vector<Tensor> held;
  add_all("model", content.model, &held, &writer);
  add_all("average", content.average, &held, &writer);
  add_all("optimizer", content.optimizer, &held, &writer);
  add_all("log", content.log, &held, &writer);
  writer.set_metadata(kMetaSpec, graph::to_json(content.spec));
  writer.set_metadata(kMetaConfig, content.config_toml);
  writer.set_metadata(kMetaDecode, content.decode_json);
  writer.set_metadata(kMetaState, fields_to_json(content.state).dump());
  throw_if_error(writer.write(path));
}

CheckpointReader::CheckpointReader(const std::string& path)
    : path_(path), container_(value_or_throw(format::Container::open(path))) {}

graph::ModelSpec CheckpointReader::spec() const {
  const Result<graph::ModelSpec> spec = graph::model_spec_from_json(metadata(*container_, kMetaSpec));
  throw_if_error(spec.status().with_context(path_ + ", " + kMetaSpec));
  return spec.value();
}

std::string CheckpointReader::config_toml() const { return metadata(*container_, kMetaConfig); }

std::string CheckpointReader::decode_json() const { return metadata(*container_, kMetaDecode); }

TrainingState CheckpointReader::state() const {
  const std::string where = path_ + ", " + kMetaState;
  const Result<Json> json = Json::parse(metadata(*container_, kMetaState));
  throw_if_error(json.status().with_context(where));
  TrainingState state;
  throw_if_error(fields_from_json(json.value(), &state).with_context(where));
  return state;
}

bool CheckpointReader::has(const std::string& prefix) const {
  const auto it = container_->tensors().lower_bound(prefix + "/");
  return it != container_->tensors().end() && it->first.compare(0, prefix.size() + 1, prefix + "/") == 0;
}

bool CheckpointReader::has_tensor(const std::string& name) const { return container_->find(name) != nullptr; }

void CheckpointReader::load(const std::string& prefix, const NamedTensors& tensors) const {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) {
    const std::string full = prefix + "/" + name;
    const format::Tensor stored =
        value_or_throw(container_->get(full, container_type(tensor.scalar_type()), tensor.sizes().vec()));
    Tensor target = tensor.detach();
    target.copy_(view_of(stored, path_ + ": " + full));
  }
}

Tensor CheckpointReader::read(const std::string& name) const {
  const format::Tensor* stored = container_->find(name);
  if (stored == nullptr) throw Error(path_ + ": has no tensor " + name);
  return view_of(*stored, path_ + ": " + name).clone();
}

}  // namespace litenat::train
