#include "graph/graph.h"

namespace litenat::graph {

size_t size_of(DataType type) {
  switch (type) {
    case DataType::kF32:
    case DataType::kI32:
      return 4;
    case DataType::kI8:
    case DataType::kU8:
      return 1;
  }
  return 0;
}

const char* name_of(DataType type) {
  switch (type) {
    case DataType::kF32:
      return "f32";
    case DataType::kI8:
      return "i8";
    case DataType::kI32:
      return "i32";
    case DataType::kU8:
      return "u8";
  }
  return "?";
}

const char* name_of(Op op) {
  switch (op) {
    case Op::kInput:
      return "input";
    case Op::kEmbedding:
      return "embedding";
    case Op::kPositions:
      return "positions";
    case Op::kWindow:
      return "window";
    case Op::kLinear:
      return "linear";
    case Op::kLayerNorm:
      return "layer_norm";
    case Op::kRelu:
      return "relu";
    case Op::kGelu:
      return "gelu";
    case Op::kGlu:
      return "glu";
    case Op::kAdd:
      return "add";
    case Op::kLightConv:
      return "light_conv";
    case Op::kDynamicConv:
      return "dynamic_conv";
    case Op::kSelfAttention:
      return "self_attention";
    case Op::kCrossAttention:
      return "cross_attention";
    case Op::kMeanPool:
      return "mean_pool";
    case Op::kChoose:
      return "choose";
    case Op::kSlice:
      return "slice";
    case Op::kConcat:
      return "concat";
    case Op::kOutput:
      return "output";
  }
  return "?";
}

int Graph::find_output(const std::string& name) const {
  for (size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i].op == Op::kOutput && nodes[i].name == name) return static_cast<int>(i);
  return -1;
}

}  // namespace litenat::graph
