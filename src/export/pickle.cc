#include "export/pickle.h"

#include <cstring>
#include <unordered_map>

#include "base/error.h"

namespace litenat::export_model {
namespace {

// Opcodes, as Python's pickletools names them.
enum Opcode : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDict = 'd',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kList = 'l',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kBinFloat = 'G',
  kEmptyList = ']',
  kEmptyTuple = ')',
  kEmptyDict = '}',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kNewObjEx = 0x92,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

constexpr uint8_t kHighestProtocol = 4;
constexpr size_t kMaxStack = 1 << 20;  // of values, of marks and of the memo
constexpr size_t kMaxItems = 1 << 22;  // of all sequences and dicts together

}  // namespace

/// The pickle machine: a stack, marks on it, and a memo.
class PickleReader {
 public:
  PickleReader(Span<const uint8_t> bytes, const std::string& name) : bytes_(bytes), name_(name) {
    pickle_.values_.emplace_back();  // kNoneId
  }

  Pickle read() {
    while (true) {
      start_ = at_;
      const auto opcode = static_cast<uint8_t>(number(1));
      if (opcode == kStop) break;
      if (!read_atom(opcode) && !read_text(opcode) && !read_container(opcode) && !read_object(opcode) &&
          !read_machine(opcode))
        fail("opcode " + std::to_string(opcode) + " is none of protocols 2 to 4 that checkpoints use");
      if (stack_.size() > kMaxStack || marks_.size() > kMaxStack || memo_.size() > kMaxStack)
        fail("the stack or the memo has more than " + std::to_string(kMaxStack) + " entries");
    }
    pickle_.root_ = pop();
    pickle_.size_bytes_ = at_;
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(name_ + ": pickle, byte " + std::to_string(start_) + ": " + what);
  }

  // ---- operands
  const uint8_t* take(uint64_t size) {
    if (size > bytes_.size() - at_)
      fail("expected " + std::to_string(size) + " more bytes, found " + std::to_string(bytes_.size() - at_) +
           ": the file is cut off or damaged");
    const uint8_t* data = bytes_.data() + at_;
    at_ += static_cast<size_t>(size);
    return data;
  }
  /// A little-endian number of `size` (1, 2, 4, 8) bytes.
  uint64_t number(int size) {
    const uint8_t* data = take(static_cast<uint64_t>(size));
    uint64_t value = 0;
    for (int i = 0; i < size; ++i) value |= uint64_t{data[i]} << (8 * i);
    return value;
  }
  std::string_view text(uint64_t size) {
    return {reinterpret_cast<const char*>(take(size)), static_cast<size_t>(size)};
  }
  std::string_view line() {
    const void* end = std::memchr(bytes_.data() + at_, '\n', bytes_.size() - at_);
    if (end == nullptr) fail("expected the end of a line, found the end of the file");
    const auto size = static_cast<size_t>(static_cast<const uint8_t*>(end) - bytes_.data()) - at_;
    const std::string_view result = text(size);
    take(1);
    return result;
  }

  // ---- stack
  PickleId pop() {
    if (stack_.size() <= floor()) fail("expected a value on the stack, found none");
    const PickleId id = stack_.back();
    stack_.pop_back();
    return id;
  }
  PickleId top() const {
    if (stack_.size() <= floor()) fail("expected a value on the stack, found none");
    return stack_.back();
  }
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  /// Everything above the last mark; removes both.
  std::vector<PickleId> pop_to_mark() {
    if (marks_.empty()) fail("expected a mark on the stack, found none");
    const std::vector<PickleId> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }

  // ---- values
  PickleValue& push(PickleKind kind) {
    if (pickle_.values_.size() >= Pickle::kMaxValues)
      fail("has more than " + std::to_string(Pickle::kMaxValues) + " values, more than any checkpoint needs");
    stack_.push_back(static_cast<PickleId>(pickle_.values_.size()));
    pickle_.values_.emplace_back();
    pickle_.values_.back().kind = kind;
    return pickle_.values_.back();
  }
  void push_integer(PickleKind kind, int64_t value) { push(kind).integer = value; }
  void push_text(PickleKind kind, std::string_view value) { push(kind).text = value; }
  void push_items(std::vector<PickleId> items) {
    count_items(items.size());
    push(PickleKind::kSequence).items = std::move(items);
  }
  void count_items(size_t count) {
    num_items_ += count;
    if (num_items_ > kMaxItems)
      fail("has more than " + std::to_string(kMaxItems) + " items, more than any checkpoint needs");
  }
  void push_tuple(int size) {
    std::vector<PickleId> items(static_cast<size_t>(size));
    for (size_t i = items.size(); i > 0; --i) items[i - 1] = pop();
    push_items(std::move(items));
  }
  void push_call(PickleId callee, PickleId arguments) {
    PickleValue& object = push(PickleKind::kObject);
    object.callee = callee;
    object.arguments = arguments;
  }
  /// Two's complement; more than 8 bytes stay bytes.
  void push_long(uint64_t size) {
    const std::string_view digits = text(size);
    if (size > 8) return push_text(PickleKind::kInteger, digits);
    const bool negative = size > 0 && (static_cast<uint8_t>(digits.back()) & 0x80) != 0;
    uint64_t value = negative ? ~uint64_t{0} : 0;
    for (size_t i = digits.size(); i > 0; --i) value = (value << 8) | static_cast<uint8_t>(digits[i - 1]);
    push_integer(PickleKind::kInteger, static_cast<int64_t>(value));
  }
  void push_float() {
    const uint8_t* data = take(8);
    uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits = (bits << 8) | data[i];
    std::memcpy(&push(PickleKind::kFloat).real, &bits, sizeof(bits));
  }
  PickleValue& receiver(bool accepted_sequence, bool accepted_dict) {
    PickleValue& value = pickle_.values_[top()];
    const bool fits = value.kind == PickleKind::kObject || (accepted_sequence && value.kind == PickleKind::kSequence) ||
                      (accepted_dict && value.kind == PickleKind::kDict);
    if (!fits) fail("the value that is to be added to is of another kind");
    return value;
  }
  void extend(const std::vector<PickleId>& items) {
    count_items(items.size());
    PickleValue& value = receiver(true, false);
    value.items.insert(value.items.end(), items.begin(), items.end());
  }
  void set_items(const std::vector<PickleId>& items) {
    if (items.size() % 2 != 0) fail("expected keys and values in pairs, found an odd number of them");
    count_items(items.size());
    PickleValue& value = receiver(false, true);
    for (size_t i = 0; i < items.size(); i += 2) value.entries.emplace_back(items[i], items[i + 1]);
  }

  // ---- opcodes, by kind; false: not of this kind
  bool read_atom(uint8_t opcode) {
    switch (opcode) {
      case kNone:
        stack_.push_back(Pickle::kNoneId);
        return true;
      case kNewTrue:
        push_integer(PickleKind::kBool, 1);
        return true;
      case kNewFalse:
        push_integer(PickleKind::kBool, 0);
        return true;
      case kBinInt:
        push_integer(PickleKind::kInteger, static_cast<int32_t>(number(4)));
        return true;
      case kBinInt1:
        push_integer(PickleKind::kInteger, static_cast<int64_t>(number(1)));
        return true;
      case kBinInt2:
        push_integer(PickleKind::kInteger, static_cast<int64_t>(number(2)));
        return true;
      case kLong1:
        push_long(number(1));
        return true;
      case kLong4:
        push_long(number(4));
        return true;
      case kBinFloat:
        push_float();
        return true;
      default:
        return false;
    }
  }

  bool read_text(uint8_t opcode) {
    switch (opcode) {
      case kShortBinString:
      case kShortBinUnicode:
        push_text(PickleKind::kString, text(number(1)));
        return true;
      case kBinString:
      case kBinUnicode:
        push_text(PickleKind::kString, text(number(4)));
        return true;
      case kBinUnicode8:
        push_text(PickleKind::kString, text(number(8)));
        return true;
      case kShortBinBytes:
        push_text(PickleKind::kBytes, text(number(1)));
        return true;
      case kBinBytes:
        push_text(PickleKind::kBytes, text(number(4)));
        return true;
      case kBinBytes8:
        push_text(PickleKind::kBytes, text(number(8)));
        return true;
      default:
        return false;
    }
  }

  bool read_container(uint8_t opcode) {
    switch (opcode) {
      case kEmptyList:
      case kEmptyTuple:
      case kEmptySet:
        push_items({});
        return true;
      case kEmptyDict:
        push(PickleKind::kDict);
        return true;
      case kTuple1:
        push_tuple(1);
        return true;
      case kTuple2:
        push_tuple(2);
        return true;
      case kTuple3:
        push_tuple(3);
        return true;
      case kTuple:
      case kList:
      case kFrozenSet:
        push_items(pop_to_mark());
        return true;
      case kAppend:
        extend({pop()});
        return true;
      case kAppends:
      case kAddItems:
        extend(pop_to_mark());
        return true;
      case kSetItems:
        set_items(pop_to_mark());
        return true;
      case kSetItem:
        read_set_item();
        return true;
      case kDict:
        read_dict();
        return true;
      default:
        return false;
    }
  }
  void read_set_item() {
    const PickleId value = pop();
    const PickleId key = pop();
    set_items({key, value});
  }
  void read_dict() {
    const std::vector<PickleId> items = pop_to_mark();
    push(PickleKind::kDict);
    set_items(items);
  }

  bool read_object(uint8_t opcode) {
    switch (opcode) {
      case kGlobal:
        read_global();
        return true;
      case kStackGlobal:
        read_stack_global();
        return true;
      case kReduce:
      case kNewObj:
        read_call();
        return true;
      case kNewObjEx:
        pop();
        read_call();
        return true;
      case kBuild:
        read_state();
        return true;
      case kBinPersId: {
        const PickleId identity = pop();
        push(PickleKind::kPersistent).arguments = identity;
        return true;
      }
      default:
        return false;
    }
  }
  void read_global() {
    const std::string_view module = line();
    const std::string_view attribute = line();
    PickleValue& value = push(PickleKind::kGlobal);
    value.text = module;
    value.name = attribute;
  }
  void read_stack_global() {
    const PickleId attribute = pop();
    const PickleId module = pop();
    if (pickle_[attribute].kind != PickleKind::kString || pickle_[module].kind != PickleKind::kString)
      fail("expected the names of a module and an attribute on the stack");
    const std::string_view names[2] = {pickle_[module].text, pickle_[attribute].text};
    PickleValue& value = push(PickleKind::kGlobal);
    value.text = names[0];
    value.name = names[1];
  }
  void read_call() {
    const PickleId arguments = pop();
    const PickleId callee = pop();
    push_call(callee, arguments);
  }
  void read_state() {
    const PickleId state = pop();
    receiver(false, false).state = state;
  }

  bool read_machine(uint8_t opcode) {
    switch (opcode) {
      case kMark:
        marks_.push_back(stack_.size());
        return true;
      case kPop:
        read_pop();
        return true;
      case kPopMark:
        pop_to_mark();
        return true;
      case kDup:
        stack_.push_back(top());
        return true;
      case kBinGet:
        get(number(1));
        return true;
      case kLongBinGet:
        get(number(4));
        return true;
      case kBinPut:
        memo_[number(1)] = top();
        return true;
      case kLongBinPut:
        memo_[number(4)] = top();
        return true;
      case kMemoize:
        memoize();
        return true;
      case kProto:
        check_protocol(static_cast<uint8_t>(number(1)));
        return true;
      case kFrame:
        check_frame(number(8));
        return true;
      default:
        return false;
    }
  }
  /// Removes a value, or a mark where that is the last thing on the stack.
  void read_pop() {
    if (!marks_.empty() && stack_.size() == marks_.back()) {
      marks_.pop_back();
    } else {
      pop();
    }
  }
  void get(uint64_t key) {
    const auto it = memo_.find(key);
    if (it == memo_.end()) fail("the memo has no entry " + std::to_string(key));
    stack_.push_back(it->second);
  }
  void memoize() {
    const PickleId id = top();
    memo_[memo_.size()] = id;
  }
  void check_protocol(uint8_t protocol) const {
    if (protocol > kHighestProtocol)
      fail("is of protocol " + std::to_string(protocol) + ", expected at most " + std::to_string(kHighestProtocol));
  }
  void check_frame(uint64_t size) const {
    if (size > bytes_.size() - at_)
      fail("a frame of " + std::to_string(size) + " bytes, found " + std::to_string(bytes_.size() - at_));
  }

  Span<const uint8_t> bytes_;
  const std::string& name_;
  Pickle pickle_;
  std::vector<PickleId> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, PickleId> memo_;
  size_t num_items_ = 0;
  size_t at_ = 0;
  size_t start_ = 0;  // of the current opcode
};

Pickle Pickle::read(Span<const uint8_t> bytes, const std::string& name) { return PickleReader(bytes, name).read(); }

bool Pickle::is_global(PickleId id, std::string_view module, std::string_view name) const {
  const PickleValue& value = values_[id];
  return value.kind == PickleKind::kGlobal && value.text == module && value.name == name;
}

PickleId Pickle::find(PickleId id, std::string_view key) const {
  const auto& entries = values_[id].entries;
  for (auto it = entries.rbegin(); it != entries.rend(); ++it) {
    const PickleValue& candidate = values_[it->first];
    if (candidate.kind == PickleKind::kString && candidate.text == key) return it->second;
  }
  return kNoneId;
}

}  // namespace litenat::export_model
