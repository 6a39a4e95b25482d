// Graph::check(): what every consumer of a graph may rely on.
#include <set>
#include <string>

#include "graph/graph.h"

namespace litenat::graph {
namespace {

constexpr int64_t kMaxColumns = int64_t{1} << 31;

struct Arity {
  int min_inputs;
  int max_inputs;  // -1: any number
  int min_weights;
  int max_weights;
};

Arity arity_of(Op op) {
  switch (op) {
    case Op::kInput:
      return {0, 0, 0, 0};
    case Op::kEmbedding:
      return {1, 1, 1, 1};
    case Op::kPositions:
      return {1, 1, 0, 1};
    case Op::kLinear:
      return {1, 1, 1, 2};
    case Op::kLayerNorm:
      return {1, 1, 2, 2};
    case Op::kLightConv:
      return {1, 1, 1, 1};
    case Op::kAdd:
    case Op::kDynamicConv:
      return {2, 2, 0, 0};
    case Op::kSelfAttention:
    case Op::kCrossAttention:
    case Op::kChoose:
      return {3, 3, 0, 0};
    case Op::kConcat:
      return {1, -1, 0, 0};
    case Op::kWindow:
    case Op::kRelu:
    case Op::kGelu:
    case Op::kGlu:
    case Op::kMeanPool:
    case Op::kSlice:
    case Op::kOutput:
      return {1, 1, 0, 0};
  }
  return {-1, -1, -1, -1};
}

std::string text(int64_t value) { return std::to_string(value); }

/// Whether input `i` of an `op` is token ids.
bool reads_ids(Op op, size_t i) {
  return op == Op::kEmbedding || op == Op::kPositions || (op == Op::kChoose && i == 0);
}

/// The domain that input `i` of an `op` must have, whose result is over `result`.
Domain input_domain(Op op, size_t i, Domain result) {
  const bool source = op == Op::kMeanPool || (op == Op::kCrossAttention && i > 0);
  return source ? Domain::kSource : result;
}

/// Whether an `op` can have a result over `domain`.
bool allows_result(Op op, Domain domain) {
  switch (op) {
    case Op::kCrossAttention:
      return domain == Domain::kTarget;
    case Op::kMeanPool:
      return domain == Domain::kSentence;
    case Op::kInput:
    case Op::kPositions:
    case Op::kWindow:
    case Op::kLightConv:
    case Op::kDynamicConv:
    case Op::kSelfAttention:  // these tell a sentence's rows apart
      return domain != Domain::kSentence;
    default:
      return true;
  }
}

/// Checks one node of a graph whose earlier nodes are known to be right.
class NodeChecker {
 public:
  NodeChecker(const Graph& graph, size_t index)
      : graph_(graph), node_(graph.nodes[index]), attributes_(node_.attributes), index_(static_cast<int>(index)) {}

  Status check() const {
    LITENAT_RETURN_IF_ERROR(check_arity());
    LITENAT_RETURN_IF_ERROR(check_references());
    LITENAT_RETURN_IF_ERROR(check_type());
    return check_op();
  }

 private:
  Status fail(const std::string& what) const {
    return internal_error("graph node " + text(index_) + " '" + node_.name + "' (" + name_of(node_.op) + "): " + what);
  }
  Status require(bool condition, const char* what) const { return condition ? Status() : fail(what); }
  Status expect(int64_t expected, int64_t found, const char* what) const {
    if (expected == found) return {};
    return fail(std::string("expected ") + text(expected) + " " + what + ", found " + text(found));
  }

  const ValueType& input(size_t i) const { return graph_.nodes[static_cast<size_t>(node_.inputs[i])].type; }
  const std::vector<int64_t>& shape(size_t i) const {
    return graph_.weights[static_cast<size_t>(node_.weights[i])].shape;
  }

  Status check_arity() const {
    const Arity arity = arity_of(node_.op);
    const int inputs = static_cast<int>(node_.inputs.size());
    const int weights = static_cast<int>(node_.weights.size());
    LITENAT_RETURN_IF_ERROR(require(arity.min_inputs >= 0, "an operation outside the enum"));
    if (inputs < arity.min_inputs || (arity.max_inputs >= 0 && inputs > arity.max_inputs))
      return fail("expected " + text(arity.min_inputs) + " inputs, found " + text(inputs));
    if (weights < arity.min_weights || weights > arity.max_weights)
      return fail("expected " + text(arity.min_weights) + " to " + text(arity.max_weights) + " weights, found " +
                  text(weights));
    return {};
  }

  Status check_references() const {
    for (const int input : node_.inputs)
      if (input < 0 || input >= index_) return fail("input " + text(input) + " is no earlier node");
    for (const int weight : node_.weights)
      if (weight < 0 || weight >= static_cast<int>(graph_.weights.size()))
        return fail("weight " + text(weight) + " does not exist");
    return {};
  }

  Status check_type() const {
    LITENAT_RETURN_IF_ERROR(
        require(node_.type.columns > 0 && node_.type.columns < kMaxColumns, "columns out of range"));
    const bool ids = node_.op == Op::kInput;
    LITENAT_RETURN_IF_ERROR(
        require(node_.type.dtype == (ids ? DataType::kI32 : DataType::kF32), "a result of the wrong type"));
    LITENAT_RETURN_IF_ERROR(require(allows_result(node_.op, node_.type.domain), "a result over the wrong domain"));
    for (size_t i = 0; i < node_.inputs.size(); ++i) {
      LITENAT_RETURN_IF_ERROR(
          require(input(i).domain == input_domain(node_.op, i, node_.type.domain), "an input over the wrong domain"));
      const DataType expected = reads_ids(node_.op, i) ? DataType::kI32 : DataType::kF32;
      LITENAT_RETURN_IF_ERROR(require(input(i).dtype == expected, "an input of the wrong type"));
    }
    return {};
  }

  Status check_op() const {
    switch (node_.op) {
      case Op::kInput:
        return expect(1, node_.type.columns, "column");
      case Op::kEmbedding:
      case Op::kPositions:
        return check_table();
      case Op::kWindow:
        return check_window();
      case Op::kLinear:
        return check_linear();
      case Op::kLayerNorm:
        return check_layer_norm();
      case Op::kGlu:
        return expect(2 * node_.type.columns, input(0).columns, "columns of the input");
      case Op::kAdd:
        LITENAT_RETURN_IF_ERROR(expect(node_.type.columns, input(1).columns, "columns of the second input"));
        return same_columns();
      case Op::kLightConv:
      case Op::kDynamicConv:
        return check_conv();
      case Op::kSelfAttention:
        return check_attention();
      case Op::kCrossAttention:
        LITENAT_RETURN_IF_ERROR(require(attributes_.scale > 0, "scale is not above 0"));
        return check_attention();
      case Op::kChoose:
        return check_choose();
      case Op::kSlice:
        return check_slice();
      case Op::kConcat:
        return check_concat();
      case Op::kRelu:
      case Op::kGelu:
      case Op::kMeanPool:
      case Op::kOutput:
        return same_columns();
    }
    return {};
  }

  Status same_columns() const { return expect(node_.type.columns, input(0).columns, "columns of the input"); }

  Status check_table() const {
    LITENAT_RETURN_IF_ERROR(require(attributes_.first_row >= 0, "a negative first row"));
    if (node_.weights.empty()) return {};
    LITENAT_RETURN_IF_ERROR(expect(2, static_cast<int64_t>(shape(0).size()), "dimensions of the table"));
    LITENAT_RETURN_IF_ERROR(require(shape(0)[0] > attributes_.first_row, "a table without rows"));
    return expect(node_.type.columns, shape(0)[1], "columns of the table");
  }

  Status check_window() const {
    LITENAT_RETURN_IF_ERROR(require(attributes_.left >= 0 && attributes_.right >= 0, "a negative extent"));
    const int64_t width = int64_t{1} + attributes_.left + attributes_.right;
    return expect(width * input(0).columns, node_.type.columns, "columns");
  }

  Status check_linear() const {
    LITENAT_RETURN_IF_ERROR(check_shape(0, {node_.type.columns, input(0).columns}));
    return node_.weights.size() == 2 ? check_shape(1, {node_.type.columns}) : Status();
  }

  Status check_layer_norm() const {
    LITENAT_RETURN_IF_ERROR(check_shape(0, {node_.type.columns}));
    LITENAT_RETURN_IF_ERROR(check_shape(1, {node_.type.columns}));
    LITENAT_RETURN_IF_ERROR(require(attributes_.epsilon > 0, "epsilon is not above 0"));
    return same_columns();
  }

  Status check_shape(size_t weight, const std::vector<int64_t>& expected) const {
    if (shape(weight) == expected) return {};
    const std::string& name = graph_.weights[static_cast<size_t>(node_.weights[weight])].name;
    return fail("weight '" + name + "' has a shape that does not fit the operands");
  }

  Status check_heads() const {
    LITENAT_RETURN_IF_ERROR(require(attributes_.heads > 0, "heads is not above 0"));
    return require(node_.type.columns % attributes_.heads == 0, "heads do not divide the columns");
  }

  Status check_conv() const {
    LITENAT_RETURN_IF_ERROR(check_heads());
    LITENAT_RETURN_IF_ERROR(same_columns());
    LITENAT_RETURN_IF_ERROR(require(attributes_.kernel > 0, "kernel is not above 0"));
    LITENAT_RETURN_IF_ERROR(require(attributes_.pad_left >= 0 && attributes_.pad_left < attributes_.kernel,
                                    "pad_left is not inside the kernel"));
    if (node_.op == Op::kLightConv) return check_shape(0, {attributes_.heads, attributes_.kernel});
    return expect(int64_t{attributes_.heads} * attributes_.kernel, input(1).columns, "columns of logits");
  }

  Status check_attention() const {
    LITENAT_RETURN_IF_ERROR(check_heads());
    for (size_t i = 0; i < 3; ++i)
      LITENAT_RETURN_IF_ERROR(expect(node_.type.columns, input(i).columns, "columns of q, k and v"));
    return {};
  }

  Status check_choose() const {
    LITENAT_RETURN_IF_ERROR(require(attributes_.token >= 0, "a negative token"));
    for (size_t i = 1; i < 3; ++i)
      LITENAT_RETURN_IF_ERROR(expect(node_.type.columns, input(i).columns, "columns of the choices"));
    return {};
  }

  Status check_slice() const {
    LITENAT_RETURN_IF_ERROR(
        require(attributes_.begin >= 0 && attributes_.begin < attributes_.end && attributes_.end <= input(0).columns,
                "the range is outside the input"));
    return expect(attributes_.end - attributes_.begin, node_.type.columns, "columns");
  }

  Status check_concat() const {
    int64_t columns = 0;
    for (size_t i = 0; i < node_.inputs.size(); ++i) columns += input(i).columns;
    return expect(columns, node_.type.columns, "columns");
  }

  const Graph& graph_;
  const Node& node_;
  const Attributes& attributes_;
  int index_;
};

Status check_weights(const Graph& graph) {
  std::set<std::string> names;
  for (const Weight& weight : graph.weights) {
    if (weight.name.empty() || !names.insert(weight.name).second)
      return internal_error("graph weight '" + weight.name + "': the name is empty or used twice");
    if (weight.shape.empty()) return internal_error("graph weight '" + weight.name + "': no dimensions");
    for (const int64_t extent : weight.shape)
      if (extent < 1 || extent >= kMaxColumns)
        return internal_error("graph weight '" + weight.name + "': extent " + text(extent) + " out of range");
  }
  return {};
}

}  // namespace

Status Graph::check() const {
  LITENAT_RETURN_IF_ERROR(check_weights(*this));
  std::set<std::string> names;
  bool has_output = false;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].name.empty() || !names.insert(nodes[i].name).second)
      return internal_error("graph node " + text(static_cast<int64_t>(i)) + " '" + nodes[i].name +
                            "': the name is empty or used twice");
    LITENAT_RETURN_IF_ERROR(NodeChecker(*this, i).check());
    has_output = has_output || nodes[i].op == Op::kOutput;
  }
  return has_output ? Status() : internal_error("the graph has no output");
}

}  // namespace litenat::graph
