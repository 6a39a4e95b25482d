// Where training data come from and how they are made into batches, as settings.
#pragma once

#include <string>

#include "base/fields.h"
#include "data/batch_sampler.h"
#include "data/key_sampler.h"

namespace litenat::train {

struct DataSpec {
  std::string dir;
  std::string source = "pinyin";
  std::string target = "hanzi";
  std::string train = "train";
  std::string valid = "valid";
  std::string resources;
  data::KeyMixture keys;
  data::BatchSpec batch;
  int num_workers = 1;
  int prefetch = 16;
  int64_t valid_sentences = 2000;
  std::string tokenizer;

  template <class V>
  void visit(V& v) {
    v("dir", dir, "folder that `litenat preprocess` wrote");
    v("source", source, "name of the source side");
    v("target", target, "name of the target side");
    v("train", train, "name of the training split");
    v("valid", valid, "name of the validation split; empty = no validation");
    v("resources", resources, "text resources (lexicon, n-grams); empty = resources.litenat in data.dir");
    v("keys", keys, "how clauses are typed (input = units, keys)");
    v("batch", batch, "size of the batches");
    v("num_workers", num_workers, "threads that make batches", between(1, 64));
    v("prefetch", prefetch, "batches made ahead", between(1, 4096));
    v("valid_sentences", valid_sentences, "sentences of the validation split that are used; 0 = all", between(0, 1e9));
    v("tokenizer", tokenizer,
      "tokenizer of the text (models with a decoder), stored with the model; empty = tokenizer.model in data.dir where "
      "there is one");
  }
};

}  // namespace litenat::train
