// The one list of verbs. Keep the order of verbs.h; a verb is listed once its file is there.
#include "cli/verbs.h"

#include "cli/program.h"

namespace litenat::cli {

void add_verbs(Program& program) {
  add_corpus(program);
  add_corpus_mt(program);
  add_lexicon(program);
  add_preprocess(program);
  add_train(program);
  add_average(program);
  add_evaluate(program);
  add_convert(program);
  add_distill(program);
  add_score(program);
  add_quantize(program);
  add_import(program);
  add_export(program);
  add_info(program);
  add_bench(program);
  add_report(program);
}

}  // namespace litenat::cli
