// Every verb of the program; each is defined in verb_<name>.cc.
#pragma once

namespace litenat::cli {

class Program;

void add_corpus(Program& program);
void add_corpus_mt(Program& program);
void add_lexicon(Program& program);
void add_preprocess(Program& program);
void add_train(Program& program);
void add_average(Program& program);
void add_evaluate(Program& program);
void add_convert(Program& program);
void add_distill(Program& program);
void add_score(Program& program);
void add_quantize(Program& program);
void add_import(Program& program);
void add_export(Program& program);
void add_info(Program& program);
void add_bench(Program& program);
void add_report(Program& program);

/// Adds all of them, in the order in which --help lists them.
void add_verbs(Program& program);

}  // namespace litenat::cli
