#include "export/fairseq_settings.h"

#include <cstdlib>

#include "base/error.h"

namespace litenat::export_model {
namespace {

constexpr int kMaxDepth = 8;

/// The integers of "[3, 7]", "(3, 7)" or "3,7"; false when there is anything else.
bool parse_integers(std::string text, std::vector<int64_t>* integers) {
  for (char& c : text)
    if (c == '[' || c == ']' || c == '(' || c == ')' || c == ',') c = ' ';
  const char* at = text.c_str();
  while (true) {
    while (*at == ' ') ++at;
    if (*at == '\0') return true;
    char* end = nullptr;
    integers->push_back(std::strtoll(at, &end, 10));
    if (end == at) return false;
    at = end;
  }
}

}  // namespace

FairseqSettings::FairseqSettings(const Pickle& pickle, const std::string& name) : pickle_(pickle), name_(name) {
  const PickleId args = pickle.find(pickle.root(), "args");
  const PickleId cfg = pickle.find(pickle.root(), "cfg");
  if (fields_of(args) != nullptr) {
    add_fields(args, "", 0);
  } else if (const Entries* groups = fields_of(cfg)) {
    // The model's last: they count where a name is in several groups.
    for (const char* group : {"common", "dataset", "checkpoint", "task", "model"})
      for (const auto& [key, value] : *groups)
        if (pickle[key].text == group) add_fields(value, "", 0);
  }
  if (fields_.empty()) throw Error(name + ": has no settings (args or cfg), so it is no checkpoint of fairseq-train");
}

/// The value of an omegaconf node, else the value itself.
PickleId FairseqSettings::unwrap(PickleId id) const {
  if (pickle_[id].kind != PickleKind::kObject) return id;
  const PickleId state = pickle_[id].state;
  for (const char* key : {"_val", "_content"}) {
    const PickleId inner = pickle_.find(state, key);
    if (inner != Pickle::kNoneId) return inner;
  }
  return pickle_.find(state, "_metadata") != Pickle::kNoneId ? Pickle::kNoneId : id;  // a node that holds None
}

/// The fields of a dict, a Namespace or a DictConfig; null for other values.
const FairseqSettings::Entries* FairseqSettings::fields_of(PickleId id) const {
  const PickleValue& value = pickle_[unwrap(id)];
  if (value.kind == PickleKind::kDict) return &value.entries;
  if (value.kind != PickleKind::kObject) return nullptr;
  if (!value.entries.empty()) return &value.entries;
  const PickleValue& state = pickle_[value.state];
  return state.kind == PickleKind::kDict ? &state.entries : nullptr;
}

void FairseqSettings::add_fields(PickleId id, const std::string& prefix, int depth) {
  const Entries* fields = fields_of(id);
  if (fields == nullptr || depth > kMaxDepth) return;
  for (const auto& [key, value] : *fields) {
    if (pickle_[key].kind != PickleKind::kString) continue;
    const std::string name = prefix + std::string(pickle_[key].text);
    const PickleId plain = unwrap(value);
    const PickleValue& found = pickle_[plain];
    // An interpolation ("${model.decoder.embed_dim}") says what the setting's default says.
    const bool is_reference = found.kind == PickleKind::kString && found.text.substr(0, 2) == "${";
    if (!is_reference) fields_[name] = plain;
    if (name == "encoder" || name == "decoder" || name == "quant_noise") add_fields(value, name + "_", depth + 1);
  }
}

PickleId FairseqSettings::find(const std::string& key) const {
  const auto it = fields_.find(key);
  return it == fields_.end() ? Pickle::kNoneId : it->second;
}

std::string FairseqSettings::shown(PickleId id) const {
  const PickleValue& value = pickle_[id];
  switch (value.kind) {
    case PickleKind::kNone:
      return "None";
    case PickleKind::kBool:
      return value.integer != 0 ? "True" : "False";
    case PickleKind::kInteger:
      return std::to_string(value.integer);
    case PickleKind::kFloat:
      return std::to_string(value.real);
    case PickleKind::kString:
      return "'" + std::string(value.text.substr(0, 80)) + "'";
    default:
      return "another kind of value";
  }
}

void FairseqSettings::refuse(const std::string& key, const std::string& expected) const {
  throw Error(name_ + ": setting " + key + ": expected " + expected + ", found " + shown(find(key)));
}

bool FairseqSettings::boolean(const std::string& key, bool fallback) const {
  const PickleValue& value = pickle_[find(key)];
  if (value.kind == PickleKind::kNone) return fallback;
  if (value.kind != PickleKind::kBool && value.kind != PickleKind::kInteger) refuse(key, "True or False");
  return value.integer != 0;
}

int64_t FairseqSettings::integer(const std::string& key, int64_t fallback) const {
  const PickleValue& value = pickle_[find(key)];
  if (value.kind == PickleKind::kNone) return fallback;
  if (value.kind != PickleKind::kInteger || !value.text.empty()) refuse(key, "a number");
  return value.integer;
}

double FairseqSettings::real(const std::string& key, double fallback) const {
  const PickleValue& value = pickle_[find(key)];
  return value.kind == PickleKind::kFloat ? value.real
                                          : static_cast<double>(integer(key, static_cast<int64_t>(fallback)));
}

std::string FairseqSettings::text(const std::string& key, const std::string& fallback) const {
  const PickleValue& value = pickle_[find(key)];
  if (value.kind == PickleKind::kNone) return fallback;
  if (value.kind != PickleKind::kString) refuse(key, "a text");
  return std::string(value.text);
}

std::vector<int64_t> FairseqSettings::integers(const std::string& key, const std::vector<int64_t>& fallback) const {
  const PickleValue& value = pickle_[find(key)];
  if (value.kind == PickleKind::kNone) return fallback;
  std::vector<int64_t> integers;
  if (value.kind == PickleKind::kString && parse_integers(std::string(value.text), &integers)) return integers;
  if (value.kind != PickleKind::kSequence) refuse(key, "a list of numbers");
  for (const PickleId item : value.items) {
    const PickleValue& number = pickle_[unwrap(item)];
    if (number.kind != PickleKind::kInteger || !number.text.empty()) refuse(key, "a list of numbers");
    integers.push_back(number.integer);
  }
  return integers;
}

std::vector<std::string> FairseqSettings::texts(const std::string& key) const {
  const PickleValue& value = pickle_[find(key)];
  if (value.kind == PickleKind::kNone) return {};
  std::vector<std::string> texts;
  if (value.kind != PickleKind::kSequence) refuse(key, "a list of texts");
  for (const PickleId item : value.items) texts.emplace_back(pickle_[unwrap(item)].text);
  return texts;
}

}  // namespace litenat::export_model
