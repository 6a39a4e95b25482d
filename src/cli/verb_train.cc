// litenat train: a configuration and data -> a run folder.
#include "cli/program.h"
#include "cli/text_files.h"
#include "cli/torch_library.h"
#include "cli/verbs.h"

namespace litenat::cli {

void add_train(Program& program) {
  auto arguments = std::make_shared<TrainArguments>();
  auto resume = std::make_shared<bool>(false);
  Verb verb = program.add_verb("train", "Trains a model into a run folder; the same command again goes on exactly");
  verb.app->add_option("CONFIG", arguments->config_path, "configuration (TOML)")->required();
  verb.app->add_option("--set", arguments->overrides, "change a setting: section.key=value, list.0.key=value");
  verb.app->add_option("-o,--output,--run-dir", arguments->run_folder,
                       "run folder (default: train.run_dir, else runs/ and the configuration's name)");
  auto* restart =
      verb.app->add_flag("--restart", arguments->restart, "start anew: remove the checkpoints of an earlier run");
  verb.app->add_flag("--resume", *resume, "go on from the last checkpoint where there is one (the default)")
      ->excludes(restart);
  verb.with_json();
  verb.examples({"litenat train configs/ime/tagger-small.toml --set data.dir=corpus/bin --output runs/small",
                 "litenat train configs/ime/tagger.toml --set optimizer.lr=1e-3 --set model.encoder.repeat=8",
                 "litenat train runs/small/config.toml --output runs/small --set train.max_epochs=20",
                 "torchrun --no-python --nproc-per-node 2 litenat train configs/ime/tagger.toml --output runs/two"});
  verb.run([arguments, resume](const Context& context) {
    require_file(arguments->config_path, "a configuration (configs/ has some)");
    arguments->threads = context.threads;
    arguments->json = context.json;
    torch_api(context).run_train(*arguments);
  });
}

}  // namespace litenat::cli
