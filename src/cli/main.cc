// The `litenat` program.
#include "cli/program.h"
#include "cli/verbs.h"

int main(int argc, char** argv) {
  litenat::cli::Program program;
  litenat::cli::add_verbs(program);
  return program.run(argc, argv);
}
