// litenat average: checkpoints of one run -> one.
#include "cli/program.h"
#include "cli/text_files.h"
#include "cli/torch_library.h"
#include "cli/verbs.h"

namespace litenat::cli {

void add_average(Program& program) {
  auto arguments = std::make_shared<AverageArguments>();
  Verb verb = program.add_verb("average", "Averages the weights of several checkpoints of one run");
  verb.app->add_option("CHECKPOINT", arguments->inputs, "checkpoints")->required();
  verb.app->add_option("-o,--output", arguments->output, "checkpoint to write")->required();
  verb.examples(
      {"litenat average runs/tagger/checkpoints/update_*.safetensors -o runs/tagger/checkpoints/mean.safetensors"});
  verb.run([arguments](const Context& context) {
    for (const std::string& path : arguments->inputs) require_file(path, "a checkpoint");
    torch_api(context).average(*arguments);
  });
}

}  // namespace litenat::cli
