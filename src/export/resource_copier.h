// The text that a deployable model carries: dictionaries, lexicon, n-grams, tokenizer.
#pragma once

#include <memory>
#include <string>

#include "format/container.h"
#include "graph/model_spec.h"

namespace litenat::export_model {

/// The resources.litenat of a checkpoint: `given`, else the one in its folder or in the folder above. Null where there
/// is none and `spec` needs none (a tagger of tokens). Throws Error.
std::shared_ptr<const format::Container> open_resources(const std::string& checkpoint_path, const std::string& given,
                                                        const graph::ModelSpec& spec);

/// Copies the tensors "text.*" and the metadata of `resources` to `writer` after checking that they parse and fit the
/// model. Throws Error naming the file and the tensor. `resources` must live until the writer has written.
void copy_resources(const format::Container& resources, const graph::ModelSpec& spec, format::ContainerWriter* writer);

}  // namespace litenat::export_model
