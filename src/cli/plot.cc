#include "cli/plot.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <sstream>

#include "base/error.h"

extern char** environ;

namespace litenat::cli {
namespace {

// Colour-blind safe (Okabe and Ito).
const char* const kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"};
constexpr size_t kNumColours = sizeof(kColours) / sizeof(kColours[0]);

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File temporary_file() {
  File file(std::tmpfile(), std::fclose);
  if (!file) throw Error("cannot make a temporary file: set TMPDIR to a folder that can be written");
  return file;
}

std::string read_all(std::FILE* file) {
  std::rewind(file);
  std::string text;
  char buffer[1 << 14];
  for (size_t got = 0; (got = std::fread(buffer, 1, sizeof(buffer), file)) > 0;) text.append(buffer, got);
  return text;
}

/// Runs gnuplot on `script`; returns what it prints.
std::string run_gnuplot(const std::string& script) {
  const File input = temporary_file();
  const File output = temporary_file();
  const File errors = temporary_file();
  std::fwrite(script.data(), 1, script.size(), input.get());
  std::rewind(input.get());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(input.get()), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(output.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(errors.get()), STDERR_FILENO);
  char program[] = "gnuplot";
  char* arguments[] = {program, nullptr};
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, program, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    throw Error("cannot run gnuplot, which draws the pictures: install gnuplot-nox (scripts/setup does)");
  int status = 0;
  waitpid(pid, &status, 0);
  const std::string text = read_all(output.get());
  if (status != 0 || text.find("<svg") == std::string::npos)
    throw Error("gnuplot did not draw the picture: " + read_all(errors.get()));
  return text.substr(text.find("<svg"));
}

/// `text` as a gnuplot string.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += '\'';
    result += c == '\n' || c == '\r' ? ' ' : c;
  }
  return result + "'";
}

/// The frame that all pictures share.
std::string preamble(const std::string& title, const std::string& x_label, const std::string& y_label) {
  return "set terminal svg size 760,420 dynamic noenhanced font 'sans-serif,13'\n"
         "set border 3 lc rgb '#888888'\nset tics nomirror textcolor rgb '#333333'\n"
         "set grid ytics lc rgb '#dddddd' lt 1\nset key outside right top noautotitle textcolor rgb '#333333'\n"
         "set title " +
         quoted(title) + " textcolor rgb '#111111'\nset xlabel " + quoted(x_label) + "\nset ylabel " + quoted(y_label) +
         "\n";
}

std::string colour(size_t i) { return quoted(kColours[i % kNumColours]); }

void write_points(std::ostringstream* script, size_t block, const std::vector<std::pair<double, double>>& points) {
  *script << "$data" << block << " << EOD\n";
  for (const auto& [x, y] : points) *script << x << ' ' << y << '\n';
  *script << "EOD\n";
}

}  // namespace

std::string plot_lines(const std::string& title, const std::string& x_label, const std::string& y_label,
                       const std::vector<Series>& series) {
  std::ostringstream script;
  script.precision(10);
  script << preamble(title, x_label, y_label);
  for (size_t i = 0; i < series.size(); ++i) write_points(&script, i, series[i].points);
  script << "plot ";
  for (size_t i = 0; i < series.size(); ++i)
    script << (i == 0 ? "" : ", ") << "$data" << i << " with lines lw 2 dt " << (series[i].dashed ? 2 : 1) << " lc rgb "
           << colour(i / 2) << " title " << quoted(series[i].name);
  return run_gnuplot(script.str() + "\n");
}

std::string plot_points(const std::string& title, const std::string& x_label, const std::string& y_label,
                        const std::vector<LabelledPoint>& points) {
  std::ostringstream script;
  script.precision(10);
  script << preamble(title, x_label, y_label)
         << "set key off\nset offsets graph 0.12, graph 0.25, graph 0.15, graph 0.1\n";
  for (size_t i = 0; i < points.size(); ++i) write_points(&script, i, {{points[i].x, points[i].y}});
  for (size_t i = 0; i < points.size(); ++i)
    script << "set label " << quoted(points[i].name) << " at " << points[i].x << ',' << points[i].y
           << " offset 1,0.6 textcolor rgb " << colour(i) << '\n';
  script << "plot ";
  for (size_t i = 0; i < points.size(); ++i)
    script << (i == 0 ? "" : ", ") << "$data" << i << " with points pt 7 ps 1.3 lc rgb " << colour(i);
  return run_gnuplot(script.str() + "\n");
}

std::string plot_bars(const std::string& title, const std::string& y_label, const BarGroups& bars) {
  std::ostringstream script;
  script.precision(10);
  script << preamble(title, "", y_label)
         << "set style data histograms\nset style histogram clustered gap 1\nset style fill solid 0.9 noborder\n"
         << "set xtics rotate by -25 scale 0\nset yrange [0:100]\n$data << EOD\n";
  for (size_t group = 0; group < bars.groups.size(); ++group) {
    std::string name = bars.groups[group];
    std::replace(name.begin(), name.end(), '"', '\'');
    script << '"' << name << '"';
    for (const auto& values : bars.values) script << ' ' << values[group];
    script << '\n';
  }
  script << "EOD\nplot ";
  for (size_t i = 0; i < bars.series.size(); ++i)
    script << (i == 0 ? "" : ", ") << "$data using " << i + 2 << ":xtic(1) lc rgb " << colour(i) << " title "
           << quoted(bars.series[i]);
  return run_gnuplot(script.str() + "\n");
}

}  // namespace litenat::cli
