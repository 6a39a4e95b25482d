#include "cli/interactive.h"

#include <histedit.h>

#include <chrono>
#include <clocale>
#include <cstdio>
#include <iostream>
#include <memory>

#include "base/interrupt.h"
#include "cli/text_table.h"

namespace litenat::cli {
namespace {

/// libedit asks for the prompt by a function that gets nothing else.
const char*& current_prompt() {
  static const char* prompt = "> ";
  return prompt;
}
const char* prompt(EditLine* /*line*/) { return current_prompt(); }

/// libedit's line editor with a history of its own.
class LineEditor {
 public:
  LineEditor() : line_(el_init("litenat", stdin, stdout, stderr)), history_(history_init()) {
    HistEvent event;
    history(history_, &event, H_SETSIZE, 1000);
    history(history_, &event, H_SETUNIQUE, 1);
    el_set(line_, EL_PROMPT, prompt);
    el_set(line_, EL_EDITOR, "emacs");
    el_set(line_, EL_HIST, history, history_);
    el_source(line_, nullptr);  // ~/.editrc, when there is one
  }
  ~LineEditor() {
    history_end(history_);
    el_end(line_);
  }
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  /// False at the end of the input or when interrupted.
  bool next(std::string* text) {
    int count = 0;
    const char* read = el_gets(line_, &count);
    if (read == nullptr || count <= 0) return false;
    text->assign(read, static_cast<size_t>(count));
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
    HistEvent event;
    if (!text->empty()) history(history_, &event, H_ENTER, text->c_str());
    return true;
  }

 private:
  EditLine* line_;
  History* history_;
};

void show(const Result<std::vector<decode::Candidate>>& candidates, double milliseconds) {
  if (!candidates.ok()) {
    std::cout << "  " << candidates.status().message() << '\n';
    return;
  }
  int number = 0;
  for (const decode::Candidate& candidate : candidates.value())
    std::cout << "  " << ++number << "  " << candidate.text << "  (" << fixed(candidate.score, 2) << ")\n";
  std::cout << "  " << fixed(milliseconds, 2) << " ms\n";
}

}  // namespace

void run_interactive(const InteractiveTexts& texts, const LineConverter& convert) {
  std::setlocale(LC_CTYPE, "");
  std::cout << texts.greeting << " Ctrl-D ends.\n";
  current_prompt() = texts.prompt;
  LineEditor editor;
  for (std::string line; std::cout.flush() && editor.next(&line);) {
    if (line.empty()) continue;
    const auto start = std::chrono::steady_clock::now();
    const auto candidates = convert(line);
    const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
    show(candidates, spent.count());
  }
  std::cout << '\n';
  throw_if_interrupted();
}

}  // namespace litenat::cli
