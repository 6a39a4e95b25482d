// The inference graph: a model as a small typed list of operations. Executors run it, exporters
// translate it, the cost counter counts it, the printer draws it.
//
// A value is a matrix: its rows run over a Domain (the positions of all sentences of a batch, packed one
// after the other without padding; so nothing can leak from padding), its columns are fixed.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "graph/model_spec.h"

namespace litenat::graph {

enum class DataType { kF32, kI8, kI32, kU8 };
size_t size_of(DataType type);
const char* name_of(DataType type);

/// What the rows of a value are. A run has two phases: nodes over the source and over sentences need nothing of the
/// target, so they run once a batch (encode); nodes over the target run for each decoding pass or step after that.
enum class Domain {
  kSource,    // the source positions of every sentence of the batch, sentence after sentence
  kTarget,    // the target positions, likewise
  kSentence,  // one row a sentence
};

struct ValueType {
  Domain domain = Domain::kSource;
  DataType dtype = DataType::kF32;
  int64_t columns = 0;
};

enum class Op {
  kInput,      // () -> token ids, kI32 [rows, 1]
  kEmbedding,  // ids; weight table [V, e] -> rows of the table (times `scale`)
  kPositions,  // ids; weight table [P, D] -> row (position + first_row) of the table, position from 0
  kWindow,     // x -> [x[t - left], ..., x[t + right]] of the same sentence, zeros outside it
  kLinear,     // x; weight [n, k], optional bias [n] -> x W^T + b
  kLayerNorm,  // x; weight gain [c], bias [c]
  kRelu,
  kGelu,            // exact: x Phi(x)
  kGlu,             // x [rows, 2c] -> x[:, :c] * sigmoid(x[:, c:])
  kAdd,             // x, y
  kLightConv,       // x; weight taps [heads, kernel], already normalised -> within each sentence,
                    //   y[t, c] = sum_k taps[c / (C / heads), k] x[t + k - pad_left, c]
  kDynamicConv,     // x, logits [rows, heads * kernel] -> the same with taps[t] = softmax over k of logits[t]
  kSelfAttention,   // q, k, v [rows, c] -> multi-head attention within each sentence, scale head_dim^-0.5
  kCrossAttention,  // q over the target; k, v over the source -> each target row over its sentence's source rows
                    //   (attributes: heads, scale of the products)
  kMeanPool,        // x over the source -> its mean over the rows of each sentence, one row a sentence
  kChoose,          // ids, x, y -> the row of x where the id is `token`, else that of y
  kSlice,           // x -> columns [begin, end)
  kConcat,          // x, y, ... -> columns side by side
  kOutput,          // x: names it as a result of the graph
};
const char* name_of(Op op);

/// Attributes; each op uses those named beside it.
struct Attributes {
  int kernel = 0;         // kLightConv, kDynamicConv
  int pad_left = 0;       // kLightConv, kDynamicConv
  int heads = 0;          // kLightConv, kDynamicConv, kSelfAttention
  int left = 0;           // kWindow
  int right = 0;          // kWindow
  int begin = 0;          // kSlice
  int end = 0;            // kSlice
  int first_row = 0;      // kPositions
  int token = 0;          // kChoose
  float scale = 1.0f;     // kEmbedding, kCrossAttention
  float epsilon = 1e-5f;  // kLayerNorm
  bool causal = false;    // kSelfAttention
};

struct Node {
  Op op = Op::kInput;
  std::string name;          // unique in the graph, e.g. "encoder.layers.0.linear1"
  std::vector<int> inputs;   // indices of earlier nodes; a node's value has the node's index
  std::vector<int> weights;  // indices into Graph::weights, in the order the op names them
  Attributes attributes;
  ValueType type;  // of its result
};

/// A parameter that the graph needs. The file may hold a matrix [n, k] of a kLinear or kEmbedding as
/// int8 ("name" packed or row-major, with "name.scale" [n]); the graph does not change.
struct Weight {
  std::string name;
  std::vector<int64_t> shape;
};

class Graph {
 public:
  std::vector<Node> nodes;  // in order of execution; inputs precede their users
  std::vector<Weight> weights;

  /// Index of the kOutput node called `name`, or -1.
  int find_output(const std::string& name) const;
  /// Checks every invariant stated above: order, arity, columns, domains, weight shapes.
  Status check() const;
};

/// Names of the inputs (token ids) and of the results.
constexpr const char* kSourceInput = "source";
constexpr const char* kTargetInput = "target";  // families with a decoder
constexpr const char* kEmissions =
    "emissions";  // [rows, target_vocabulary] logits; rows of the source (tagger) or target
constexpr const char* kBoundary = "boundary";  // [rows, 1] logit, when HeadSpec::boundary
constexpr const char* kLength = "length";      // [sentences, length_classes] logits, when LengthKind::kPredicted

/// The graph of `spec` (any family; resolved inside). Parameters are named as docs/formats.md says.
Result<Graph> build_graph(const ModelSpec& spec);

/// What a run costs: multiply-adds of one sentence of `source_length` (and `target_length`) rows.
struct Cost {
  int64_t multiply_adds = 0;         // all products of matrices, convolutions and attention
  int64_t embedding_parameters = 0;  // tables, positions, output projection
  int64_t other_parameters = 0;
  int64_t parameters() const { return embedding_parameters + other_parameters; }
};
struct PartCost {
  std::string part;  // first components of the names: "embedding", "encoder.layers.0", "head"
  Cost cost;
};
/// By part, in order of execution, the last entry being "total". The CRF's tables count under "head".
std::vector<PartCost> count_cost(const Graph& graph, const ModelSpec& spec, int64_t source_length,
                                 int64_t target_length);

/// One line a node: name, op, inputs, type, weights, attributes.
std::string print(const Graph& graph);

}  // namespace litenat::graph
