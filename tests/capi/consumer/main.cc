// A program that knows LiteNAT only as an installed package.
#include <cstdio>
#include <cstring>

#include "litenat/litenat.hpp"

int main() {
  try {
    const litenat::Model model("/nonexistent.litenat");
  } catch (const litenat::ApiError& error) {
    std::printf("%s: %s\n", litenat_version(), error.what());
    return error.status() == LITENAT_STATUS_NOT_FOUND && std::strlen(error.what()) > 0 ? 0 : 1;
  }
  return 1;
}
