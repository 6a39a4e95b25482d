// Where libraries send remarks: to a callback that the program sets; silent by default.
#pragma once

#include <functional>
#include <string>

namespace litenat {

enum class LogLevel { kDebug = 0, kInfo, kWarning, kError };

using LogSink = std::function<void(LogLevel, const std::string&)>;

/// Sets the process's sink (an empty one silences). Not for use while other threads log: programs
/// set it once at their start. The runtime library itself never logs.
void set_log_sink(LogSink sink);
void log(LogLevel level, const std::string& message);
inline void log_info(const std::string& message) { log(LogLevel::kInfo, message); }
inline void log_warning(const std::string& message) { log(LogLevel::kWarning, message); }

}  // namespace litenat
