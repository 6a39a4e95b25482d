// Whether bytes are a SentencePiece model that its library can be trusted with.
#pragma once

#include <string>
#include <string_view>

namespace litenat::data {

/// SentencePiece checks that a model parses, but follows the indices inside its normalisation table blindly, and ends
/// the program for some other damage. Throws Error (its message begins with `origin`) for a proto that is cut, whose
/// pieces cannot be pieces, or whose table points outside itself.
void check_piece_model(std::string_view proto, const std::string& origin);

}  // namespace litenat::data
