// From a line of keys to sentence candidates, over any engine that runs the tagger.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/status.h"
#include "decode/key_lattice.h"
#include "decode/lattice_search.h"
#include "text/dictionary.h"
#include "text/lexicon.h"
#include "text/ngram_model.h"

namespace litenat::decode {

/// Runs the tagger on sentences packed one after the other. Implemented by the CPU runtime and by libtorch.
class TaggerEngine {
 public:
  virtual ~TaggerEngine() = default;
  /// `lengths` sums to ids.size(). emissions: [ids.size(), target vocabulary] logits; boundary: [ids.size()] logits or
  /// empty when the model has none. The spans stay valid until the next call.
  struct Output {
    Span<const float> emissions;
    Span<const float> boundary;
  };
  virtual Result<Output> run(Span<const int32_t> ids, Span<const int32_t> lengths) = 0;
  /// Transition score of the CRF head; 0 without one.
  virtual float transition(int32_t previous, int32_t next) const = 0;
  virtual bool has_transitions() const = 0;
};

/// Everything beside the network that decoding needs; all of it lives in the model file.
struct ImeResources {
  text::Dictionary targets;
  text::Lexicon lexicon;
  const text::NgramModel* word_model = nullptr;  // may be null
  const text::NgramModel* unit_model = nullptr;  // may be null
  bool keys_input = false;                       // the model reads keys, not units
};

/// Stored in the model file ("litenat.decode") and overridable by the caller.
struct ImeOptions {
  int beam = 8;
  int parses = 4;
  double word_weight = 0.8;
  double word_penalty = 0.5;
  double parse_weight = 1.0;  // of the unit n-gram's log-probability
  int characters_per_arc = 32;
  int words_per_span = 64;
  int num_best = 1;
  bool constrained = true;   // only legal readings of the keys
  bool strict = false;       // other text on the line is an error, not kept as typed
  bool sentence_end = true;  // the word n-gram judges the end of a run too: better for whole clauses

  template <class V>
  void visit(V& v) {
    v("beam", beam, "hypotheses kept at each place of the lattice", between(1, 256));
    v("parses", parses, "segmentations of the keys that are tried", between(1, 64));
    v("word_weight", word_weight, "weight of the word n-gram", between(0, 10));
    v("word_penalty", word_penalty, "subtracted for each word", between(-10, 10));
    v("parse_weight", parse_weight, "weight of the segmentation's probability", between(0, 10));
    v("characters_per_arc", characters_per_arc, "single characters tried for a syllable", between(1, 65536));
    v("words_per_span", words_per_span, "words tried for a run of syllables", between(1, 65536));
    v("num_best", num_best, "candidates returned", between(1, 256));
    v("constrained", constrained, "only hanzi whose reading the keys allow");
    v("strict", strict, "text that is no key sequence is an error");
    v("sentence_end", sentence_end, "the word n-gram judges the end of a run of keys too");
  }
};

struct Candidate {
  std::string text;
  float score = 0;
};

/// Converts one input line. Runs of keys ([a-z']+ or [2-9']+) become hanzi; other text, and runs that cannot be read,
/// stay as typed. The result has at least one candidate. Not thread-safe: one per session (the engine has buffers).
class ImeDecoder {
 public:
  /// Both must outlive the decoder.
  ImeDecoder(TaggerEngine* engine, const ImeResources* resources);
  /// Errors: kInvalidArgument for a line that is not UTF-8, longer than kMaxLineBytes, or (strict) has other text.
  Result<std::vector<Candidate>> convert(std::string_view line, const ImeOptions& options);
  static constexpr size_t kMaxLineBytes = 1 << 20;

 private:
  TaggerEngine* engine_;
  const ImeResources* resources_;
};

}  // namespace litenat::decode
