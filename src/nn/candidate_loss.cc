#include "nn/candidate_loss.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"

namespace litenat::nn {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Weights of -log p(target) and of each candidate's -log p in the smoothed loss, for rows of n candidates.
struct Smoothing {
  double target;
  double each;
};
Smoothing smoothing_weights(double epsilon, double n, SmoothingKind kind) {
  if (kind == SmoothingKind::kUniform) return {1 - epsilon, epsilon / n};
  const double each = n > 1 ? epsilon / (n - 1) : 0;
  return {1 - epsilon - each, each};
}

// Rows that share an input id, and hence their candidates.
struct Group {
  Tensor rows;        // [r] int64
  Tensor candidates;  // [n] int64, ascending
  Tensor slots;       // [r] int64: the target's place in candidates
};

// Sorts rows by (input id, target where the set lacks it): runs of equal keys are the groups.
using RowKey = std::pair<int64_t, int64_t>;
struct KeyedRow {
  RowKey key;
  int64_t row;
};

bool set_has(const Tensor& set, int64_t token) {
  const int64_t* begin = set.const_data_ptr<int64_t>();
  return std::binary_search(begin, begin + set.numel(), token);
}

std::vector<KeyedRow> keyed_rows(const Tensor& inputs, const Tensor& targets, const CandidateSets& sets) {
  const int64_t* ids = inputs.const_data_ptr<int64_t>();
  const int64_t* tokens = targets.const_data_ptr<int64_t>();
  std::vector<KeyedRow> rows;
  rows.reserve(static_cast<size_t>(inputs.numel()));
  for (int64_t row = 0; row < inputs.numel(); ++row) {
    const int64_t id = ids[row];
    if (id < 0 || id >= sets.num_ids())
      throw Error("candidate loss: input id " + std::to_string(id) + " has no candidate set");
    rows.push_back({{id, set_has(sets.of(id), tokens[row]) ? -1 : tokens[row]}, row});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const KeyedRow& a, const KeyedRow& b) { return a.key < b.key; });
  return rows;
}

// The candidates of a group: the set of its id, and the target that the set lacks (-1: none).
Tensor group_candidates(const CandidateSets& sets, const RowKey& key) {
  const Tensor& set = sets.of(key.first);
  if (key.second < 0) return set;
  return std::get<0>(torch::cat({set, torch::tensor({key.second}, torch::kInt64)}).sort());
}

std::vector<Group> group_rows(const Tensor& inputs, const Tensor& targets, const CandidateSets& sets) {
  const std::vector<KeyedRow> keyed = keyed_rows(inputs, targets, sets);
  std::vector<Group> groups;
  for (size_t begin = 0, end; begin < keyed.size(); begin = end) {
    std::vector<int64_t> rows;
    for (end = begin; end < keyed.size() && keyed[end].key == keyed[begin].key; ++end) rows.push_back(keyed[end].row);
    Group group;
    group.rows = torch::tensor(rows, torch::kInt64);
    group.candidates = group_candidates(sets, keyed[begin].key);
    group.slots = torch::searchsorted(group.candidates, targets.index_select(0, group.rows));
    groups.push_back(std::move(group));
  }
  return groups;
}

// What one pass over the groups makes: the sums, and the gradients of the loss sum.
struct GroupedPass {
  Tensor states_grad, weight_grad, bias_grad;
  double loss = 0, nll = 0;
  int64_t correct = 0;
};

void run_group(const Group& g, const Tensor& states, const Tensor& weight, const Tensor& bias, double epsilon,
               SmoothingKind kind, GroupedPass* pass) {
  const Tensor rows = states.index_select(0, g.rows);         // [r, D]
  const Tensor table = weight.index_select(0, g.candidates);  // [n, D]
  Tensor logits = torch::mm(rows, table.t());                 // [r, n]
  if (bias.defined()) logits.add_(bias.index_select(0, g.candidates));
  const Tensor log_p = torch::log_softmax(logits, 1);
  const Smoothing w = smoothing_weights(epsilon, static_cast<double>(g.candidates.numel()), kind);
  const Tensor slots = g.slots.unsqueeze(1);
  const double nll = -log_p.gather(1, slots).sum().item<double>();
  pass->nll += nll;
  pass->loss += w.target * nll - (w.each != 0 ? w.each * log_p.sum().item<double>() : 0);
  pass->correct += logits.argmax(1).eq(g.slots).sum().item<int64_t>();
  // d loss / d logits = p - q: the smoothed target q sums to 1 in both variants.
  Tensor grad = log_p.exp_().sub_(w.each);
  grad.scatter_add_(1, slots, torch::full_like(slots, -w.target, grad.options()));
  pass->states_grad.index_copy_(0, g.rows, torch::mm(grad, table));
  pass->weight_grad.index_add_(0, g.candidates, torch::mm(grad.t(), rows));
  if (bias.defined()) pass->bias_grad.index_add_(0, g.candidates, grad.sum(0));
}

// Computes the loss and, in the same pass, its gradients; backward only scales them.
class GroupedCrossEntropy : public torch::autograd::Function<GroupedCrossEntropy> {
 public:
  // An undefined tensor cannot be an argument of apply; an empty optional can.
  static tensor_list forward(AutogradContext* context, const Tensor& states, const Tensor& weight,
                             const std::optional<Tensor>& known_bias, const std::vector<Group>* groups, double epsilon,
                             int64_t kind) {
    const Tensor bias = known_bias.value_or(Tensor());
    GroupedPass pass;
    pass.states_grad = torch::zeros_like(states);
    pass.weight_grad = torch::zeros_like(weight);
    if (bias.defined()) pass.bias_grad = torch::zeros_like(bias);
    for (const Group& group : *groups)
      run_group(group, states, weight, bias, epsilon, static_cast<SmoothingKind>(kind), &pass);
    context->save_for_backward({pass.states_grad, pass.weight_grad, pass.bias_grad});
    const Tensor nll = torch::scalar_tensor(pass.nll, states.options());
    const Tensor correct = torch::scalar_tensor(pass.correct, torch::kInt64);
    context->mark_non_differentiable({nll, correct});
    return {torch::scalar_tensor(pass.loss, states.options()), nll, correct};
  }

  static tensor_list backward(AutogradContext* context, tensor_list grads) {
    tensor_list saved = context->get_saved_variables();
    for (Tensor& grad : saved)
      if (grad.defined()) grad = grad * grads[0];
    return {saved[0], saved[1], saved[2], Tensor(), Tensor(), Tensor()};
  }
};

CandidateLoss grouped_cross_entropy(const Tensor& states, const Tensor& weight, const Tensor& bias,
                                    const std::vector<Group>& groups, double epsilon, SmoothingKind kind) {
  const auto known_bias = bias.defined() ? std::optional<Tensor>(bias) : std::nullopt;
  const tensor_list out =
      GroupedCrossEntropy::apply(states, weight, known_bias, &groups, epsilon, static_cast<int64_t>(kind));
  return {out[0], out[1], out[2]};
}

}  // namespace

CandidateSets::CandidateSets(const std::vector<std::vector<int64_t>>& sets, int64_t vocabulary)
    : vocabulary_(vocabulary) {
  const Tensor all = torch::arange(vocabulary, torch::kInt64);
  for (const std::vector<int64_t>& set : sets) {
    if (!set.empty() && (set.front() < 0 || set.back() >= vocabulary))
      throw Error("candidate set holds a token outside the vocabulary of " + std::to_string(vocabulary));
    sets_.push_back(set.empty() ? all : torch::tensor(set, torch::kInt64));
  }
}

const Tensor& CandidateSets::mask(const torch::Device& device) const {
  if (mask_.defined() && mask_.device() == device) return mask_;
  Tensor mask = torch::zeros({num_ids(), vocabulary_}, torch::kBool);
  for (int64_t id = 0; id < num_ids(); ++id) mask[id].index_fill_(0, of(id), true);
  mask_ = mask.to(device);
  return mask_;
}

CandidateLoss masked_cross_entropy(const Tensor& logits, const Tensor& candidate_mask, const Tensor& targets,
                                   double smoothing, SmoothingKind kind) {
  const Tensor column = targets.unsqueeze(1);
  const Tensor allowed = candidate_mask.scatter(1, column, true);
  const Tensor wide = logits.scalar_type() == torch::kFloat64 ? logits : logits.to(torch::kFloat32);
  const Tensor masked = wide.masked_fill(allowed.logical_not(), -1e30);
  const Tensor log_p = torch::log_softmax(masked, 1);
  const Tensor nll = -log_p.gather(1, column).squeeze(1);  // [N]
  const Tensor correct = masked.detach().argmax(1).eq(targets).sum();
  if (smoothing == 0) return {nll.sum(), nll.detach().sum(), correct};
  const Tensor all = -log_p.masked_fill(allowed.logical_not(), 0).sum(1);  // [N]
  const Tensor count = allowed.sum(1).to(wide.scalar_type());
  const Tensor each =
      kind == SmoothingKind::kUniform ? smoothing / count : smoothing / (count - 1).clamp_min(1) * count.gt(1);
  const Tensor weight = kind == SmoothingKind::kUniform ? torch::full_like(each, 1 - smoothing) : 1 - smoothing - each;
  return {(weight * nll + each * all).sum(), nll.detach().sum(), correct};
}

CandidateLoss candidate_cross_entropy(const Tensor& states, const Tensor& weight, const Tensor& bias,
                                      const Tensor& inputs, const Tensor& targets, const CandidateSets& sets,
                                      double smoothing, SmoothingKind kind) {
  if (states.device().is_cpu()) {
    const std::vector<Group> groups = group_rows(inputs.contiguous(), targets.contiguous(), sets);
    return grouped_cross_entropy(states, weight, bias, groups, smoothing, kind);
  }
  Tensor logits = torch::matmul(states, weight.t());
  if (bias.defined()) logits = logits + bias;
  const Tensor allowed = sets.mask(states.device()).index_select(0, inputs);
  return masked_cross_entropy(logits, allowed, targets, smoothing, kind);
}

}  // namespace litenat::nn
