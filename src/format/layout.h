// What the container's reader and writer share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/container.h"

namespace litenat::format {

constexpr const char* kMetadataKey = "__metadata__";
constexpr const char* kPaddingPrefix = "__pad.";
constexpr uint64_t kAlignment = 64;
constexpr uint64_t kMaxHeaderSize = 16 << 20;  // JSON takes up to some 70 times its size in memory

/// The bytes of a tensor of this type and shape; false when they do not fit 63 bits.
bool tensor_bytes(TensorType type, const std::vector<int64_t>& shape, uint64_t* bytes);

/// True for the entries that only fill gaps.
bool is_padding(const std::string& name);

}  // namespace litenat::format
