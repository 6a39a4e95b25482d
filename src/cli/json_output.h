// Printing results as JSON.
#pragma once

#include <iostream>
#include <nlohmann/json.hpp>

namespace litenat::cli {

/// Keeps its members in the order in which they were set.
using JsonResult = nlohmann::ordered_json;

/// Bytes that are no UTF-8 are printed as U+FFFD; numbers that are not finite as null.
inline void print_json(const JsonResult& result, int indent = 2) {
  std::cout << result.dump(indent, ' ', false, JsonResult::error_handler_t::replace) << '\n';
}

}  // namespace litenat::cli
