#include "cli/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "cli/commands.h"
#include "engine/names.h"
#include "query/query.h"

namespace demarche::cli {

namespace {

using query::Value;
using query::ValueKind;

constexpr std::size_t kWidthWithoutTerminal = 100;

std::string number_text(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d > 0 ? "Infinity" : "-Infinity";
  std::string text = fmt::format("{}", d);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// ---- writers -------------------------------------------------------------------------------------------------------

class TableWriter final : public RowWriter {
 public:
  TableWriter(const OutputOptions& options, const std::vector<std::string>& columns, ValueText& text)
      : options_(options), text_(text), numeric_(columns.size(), true) {
    for (const std::string& column : columns) columns_.push_back(safe(column));
  }

  void row(const std::vector<Value>& values) override {
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < values.size(); ++i) {
      cells.push_back(safe(text_.plain(values[i])));
      numeric_[i] = numeric_[i] && (values[i].is_number() || values[i].is_null());
    }
    rows_.push_back(std::move(cells));
  }

  void finish() override {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      std::size_t width = options_.header ? display_width(columns_[i]) : 0;
      for (const auto& cells : rows_) width = std::max(width, display_width(cells[i]));
      widths.push_back(width);
    }
    fit(widths);
    if (options_.header) {
      line(columns_, widths);
      std::string rule;
      for (std::size_t i = 0; i < widths.size(); ++i) {
        rule += i == 0 ? "" : "  ";
        for (std::size_t n = 0; n < widths[i]; ++n) rule += "─";
      }
      print(rule + "\n");
    }
    for (const auto& cells : rows_) line(cells, widths);
  }

 private:
  // On a terminal the widest columns give way until the table fits; their cells are then wrapped.
  void fit(std::vector<std::size_t>& widths) const {
    if (isatty(STDOUT_FILENO) == 0 || widths.empty()) return;
    constexpr std::size_t kColumnMin = 12;
    const std::size_t room = std::max(output_width(), widths.size() * (kColumnMin + 2));
    std::size_t total = 2 * (widths.size() - 1);
    for (const std::size_t w : widths) total += w;
    while (total > room) {
      auto widest = std::max_element(widths.begin(), widths.end());
      if (*widest <= kColumnMin) return;
      --*widest;
      --total;
    }
  }

  void line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const {
    std::vector<std::vector<std::string>> parts;
    std::size_t height = 1;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      parts.push_back(display_width(cells[i]) > widths[i] ? wrapped(cells[i], widths[i]) : std::vector{cells[i]});
      height = std::max(height, parts.back().size());
    }
    for (std::size_t n = 0; n < height; ++n) {
      std::string out;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string part = n < parts[i].size() ? parts[i][n] : "";
        const std::size_t blank = widths[i] - std::min(widths[i], display_width(part));
        out += i == 0 ? "" : "  ";
        out += numeric_[i] ? std::string(blank, ' ') + part : part + std::string(blank, ' ');
      }
      out.erase(out.find_last_not_of(' ') + 1);
      print(out + "\n");
    }
  }

  OutputOptions options_;
  std::vector<std::string> columns_;
  ValueText& text_;
  std::vector<bool> numeric_;
  std::vector<std::vector<std::string>> rows_;
};

// RFC 4180; a text that a spreadsheet would take for a formula gets an apostrophe in front.
class CsvWriter final : public RowWriter {
 public:
  CsvWriter(const OutputOptions& options, const std::vector<std::string>& columns, ValueText& text)
      : options_(options), text_(text) {
    if (!options.header) return;
    std::string line;
    for (const std::string& column : columns) line += (line.empty() ? "" : ",") + cell(column, true);
    print(line + "\r\n");
  }
  void row(const std::vector<Value>& values) override {
    std::string line;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) line += ',';
      line += cell(text_.cell(values[i]), !values[i].is_number());
    }
    print(line + "\r\n");
  }
  void finish() override {}

 private:
  [[nodiscard]] std::string cell(std::string text, bool guard) const {
    constexpr std::string_view kFormulaStarts = "=+-@\t\r";
    if (guard && !options_.raw && !text.empty() && kFormulaStarts.find(text[0]) != std::string_view::npos)
      text.insert(0, "'");
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"') out += '"';
      out += c;
    }
    return out + "\"";
  }
  OutputOptions options_;
  ValueText& text_;
};

class TsvWriter final : public RowWriter {
 public:
  TsvWriter(const OutputOptions& options, const std::vector<std::string>& columns, ValueText& text) : text_(text) {
    if (!options.header) return;
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) line += (i == 0 ? "" : "\t") + escaped(columns[i]);
    print(line + "\n");
  }
  void row(const std::vector<Value>& values) override {
    std::string line;
    for (std::size_t i = 0; i < values.size(); ++i) line += (i == 0 ? "" : "\t") + escaped(text_.cell(values[i]));
    print(line + "\n");
  }
  void finish() override {}

 private:
  static std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '\t') {
        out += "\\t";
      } else if (c == '\n') {
        out += "\\n";
      } else if (c == '\\') {
        out += "\\\\";
      } else {
        out += c;
      }
    }
    return out;
  }
  ValueText& text_;
};

class JsonWriter final : public RowWriter {
 public:
  JsonWriter(const OutputOptions& options, const std::vector<std::string>& columns, ValueText& text)
      : lines_(options.format == Format::kJsonl), columns_(columns), text_(text) {}
  void row(const std::vector<Value>& values) override {
    std::string out = "{";
    for (std::size_t i = 0; i < values.size(); ++i) {
      out += fmt::format("{}{}: {}", i == 0 ? "" : ", ", json_string(columns_[i]), text_.json(values[i]));
    }
    out += "}";
    if (lines_) {
      print(out + "\n");
    } else {
      print((any_ ? ",\n " : "[") + out);
    }
    any_ = true;
  }
  void finish() override {
    if (!lines_) print(any_ ? "]\n" : "[]\n");
  }

 private:
  bool lines_;
  bool any_ = false;
  std::vector<std::string> columns_;
  ValueText& text_;
};

}  // namespace

std::optional<Format> find_format(std::string_view name) {
  constexpr std::pair<std::string_view, Format> kFormats[] = {{"table", Format::kTable},
                                                              {"csv", Format::kCsv},
                                                              {"tsv", Format::kTsv},
                                                              {"json", Format::kJson},
                                                              {"jsonl", Format::kJsonl}};
  for (const auto& [known, format] : kFormats) {
    if (known == name) return format;
  }
  return std::nullopt;
}

std::string ValueText::actor_name(ActorId id) {
  if (const auto it = actors_.find(id); it != actors_.end()) return it->second;
  const auto actor = view_.get_actor(id);
  std::string name = fmt::format("actor {}", id.value);
  if (actor && !actor->name.empty()) {
    name = actor->name;
  } else if (actor && !actor->key.empty()) {
    name = actor->key;
  }
  return actors_.emplace(id, std::move(name)).first->second;
}

std::string ValueText::interaction_name(InteractionId id) {
  const auto record = view_.get_interaction(id);
  if (!record) return fmt::format("interaction {}", id.value);
  if (!record->key.empty()) return record->key;
  return fmt::format("{} {}", view_.kinds().get(record->kind).name, id.value);
}

std::string ValueText::nested(const Value& value) {
  return value.kind() == ValueKind::kString ? quoted(value.as_string()) : (value.is_null() ? "null" : plain(value));
}

std::string ValueText::plain(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return "";
    case ValueKind::kBoolean:
      return value.as_boolean() ? "true" : "false";
    case ValueKind::kInteger:
      return fmt::format("{}", value.as_integer());
    case ValueKind::kFloat:
      return number_text(value.as_real());
    case ValueKind::kString:
      return value.as_string();
    case ValueKind::kDate:
      return value.as_date().text;
    case ValueKind::kDay:
    case ValueKind::kTime:
    case ValueKind::kLocalTime:
    case ValueKind::kDateTime:
    case ValueKind::kLocalDateTime:
    case ValueKind::kDuration:
      return query::iso_text(value);
    case ValueKind::kActor:
      return actor_name(value.as_actor());
    case ValueKind::kInteraction:
      return interaction_name(value.as_interaction());
    case ValueKind::kList: {
      std::string out = "[";
      for (const Value& item : value.as_list()) out += (out.size() == 1 ? "" : ", ") + nested(item);
      return out + "]";
    }
    case ValueKind::kMap: {
      std::string out = "{";
      for (const auto& [key, item] : value.as_map())
        out += fmt::format("{}{}: {}", out.size() == 1 ? "" : ", ", key, nested(item));
      return out + "}";
    }
    case ValueKind::kPath: {
      const query::PathValue& path = value.as_path();
      std::string out = actor_name(path.actors.front());
      for (std::size_t i = 0; i < path.interactions.size(); ++i) {
        out += fmt::format(" -[{}]- {}", interaction_name(path.interactions[i]), actor_name(path.actors[i + 1]));
      }
      return out;
    }
  }
  return "";
}

std::string ValueText::cell(const Value& value) {
  const auto item = [this](const Value& part) {
    switch (part.kind()) {
      case ValueKind::kList:
      case ValueKind::kMap:
        return cell(part);
      case ValueKind::kNull:
      case ValueKind::kBoolean:
      case ValueKind::kInteger:
      case ValueKind::kFloat:
        return json(part);
      default:
        return json_string(plain(part));
    }
  };
  std::string out;
  if (value.kind() == ValueKind::kList) {
    for (const Value& part : value.as_list()) out += (out.empty() ? "" : ", ") + item(part);
    return "[" + out + "]";
  }
  if (value.kind() == ValueKind::kMap) {
    for (const auto& [key, part] : value.as_map())
      out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", json_string(key), item(part));
    return "{" + out + "}";
  }
  return plain(value);
}

std::string ValueText::json(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return "null";
    case ValueKind::kFloat:
      return std::isfinite(value.as_real()) ? number_text(value.as_real()) : "null";
    case ValueKind::kBoolean:
    case ValueKind::kInteger:
      return plain(value);
    case ValueKind::kString:
    case ValueKind::kDate:
    case ValueKind::kDay:
    case ValueKind::kTime:
    case ValueKind::kLocalTime:
    case ValueKind::kDateTime:
    case ValueKind::kLocalDateTime:
    case ValueKind::kDuration:
      return json_string(plain(value));
    case ValueKind::kActor: {
      const auto actor = view_.get_actor(value.as_actor());
      if (!actor) return "null";
      std::string labels;
      for (const std::string& label : actor->labels) labels += (labels.empty() ? "" : ", ") + json_string(label);
      return fmt::format("{{\"actor\": {}, \"key\": {}, \"name\": {}, \"labels\": [{}]}}", actor->id.value,
                         actor->key.empty() ? "null" : json_string(actor->key),
                         actor->name.empty() ? "null" : json_string(actor->name), labels);
    }
    case ValueKind::kInteraction: {
      const auto record = view_.get_interaction(value.as_interaction());
      if (!record) return "null";
      return fmt::format("{{\"interaction\": {}, \"key\": {}, \"kind\": {}, \"when\": {}, \"place\": {}}}",
                         record->id.value, record->key.empty() ? "null" : json_string(record->key),
                         json_string(view_.kinds().get(record->kind).name),
                         record->when ? json_string(record->when->text) : "null",
                         record->place.empty() ? "null" : json_string(record->place));
    }
    case ValueKind::kList: {
      std::string out = "[";
      for (const Value& item : value.as_list()) out += (out.size() == 1 ? "" : ", ") + json(item);
      return out + "]";
    }
    case ValueKind::kMap: {
      std::string out = "{";
      for (const auto& [key, item] : value.as_map())
        out += fmt::format("{}{}: {}", out.size() == 1 ? "" : ", ", json_string(key), json(item));
      return out + "}";
    }
    case ValueKind::kPath: {
      std::string out = "{\"actors\": [";
      const query::PathValue& path = value.as_path();
      for (std::size_t i = 0; i < path.actors.size(); ++i)
        out += (i == 0 ? "" : ", ") + json(Value::actor(path.actors[i]));
      out += "], \"interactions\": [";
      for (std::size_t i = 0; i < path.interactions.size(); ++i)
        out += (i == 0 ? "" : ", ") + json(Value::interaction(path.interactions[i]));
      return out + "]}";
    }
  }
  return "null";
}

std::unique_ptr<RowWriter> make_writer(const OutputOptions& options, const std::vector<std::string>& columns,
                                       ValueText& text) {
  switch (options.format) {
    case Format::kTable:
      break;
    case Format::kCsv:
      return std::make_unique<CsvWriter>(options, columns, text);
    case Format::kTsv:
      return std::make_unique<TsvWriter>(options, columns, text);
    case Format::kJson:
    case Format::kJsonl:
      return std::make_unique<JsonWriter>(options, columns, text);
  }
  return std::make_unique<TableWriter>(options, columns, text);
}

std::string safe(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::string_view rest = text.substr(i);
    const bool c1 = c == 0xC2 && rest.size() > 1 && static_cast<unsigned char>(rest[1]) < 0xA0;
    const auto third = rest.size() > 2 ? static_cast<unsigned char>(rest[2]) : 0;
    const bool override_mark = rest.starts_with("\xE2\x80") && third >= 0xAA && third <= 0xAE;
    const bool isolate_mark = rest.starts_with("\xE2\x81") && third >= 0xA6 && third <= 0xA9;
    if (c == '\n' || c == '\t') {
      out += c == '\n' ? "\\n" : "\\t";
    } else if (c < 0x20 || c == 0x7F) {
      out += "\xEF\xBF\xBD";
    } else if (c1) {
      out += "\xEF\xBF\xBD";
      i += 1;
    } else if (override_mark || isolate_mark) {
      out += "\xEF\xBF\xBD";
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string safe_lines(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t end = text.find_first_of("\n\t");
    out += safe(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += text[end];
    text.remove_prefix(end + 1);
  }
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (u < 0x20 || u == 0x7F) {
      out += fmt::format("\\u{:04x}", u);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string padded(std::string_view text, std::size_t width) {
  const std::size_t have = display_width(text);
  return std::string(text) + std::string(have < width ? width - have : 0, ' ');
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  std::string word;
  const auto flush_word = [&] {
    const std::size_t have = display_width(lines.back());
    if (have > 0 && have + 1 + display_width(word) > width) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
    word.clear();
  };
  for (std::size_t i = 0; i < text.size();) {
    std::size_t n = 1;
    while (i + n < text.size() && (static_cast<unsigned char>(text[i + n]) & 0xC0) == 0x80) ++n;
    const std::string_view c = text.substr(i, n);
    i += n;
    if (c == " ") {
      if (!word.empty()) flush_word();
      continue;
    }
    if (display_width(word) + display_width(c) > width) flush_word();  // longer than a line: cut it
    word += c;
  }
  if (!word.empty()) flush_word();
  return lines;
}

std::size_t output_width() {
  winsize size{};
  if (isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
    return size.ws_col;
  return kWidthWithoutTerminal;
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }
void say(std::string_view text) {
  const std::string harmless = safe_lines(text);
  std::fflush(stdout);
  std::fwrite(harmless.data(), 1, harmless.size(), stderr);
  std::fputc('\n', stderr);
}
void complain(std::string_view text) { say("demarche: " + std::string(text)); }

int fail(const Error& error) {
  complain(error.message);
  return kFailed;
}
int fail(const Error& error, std::string_view query_text) {
  complain(query::describe_error(error, query_text));
  return kFailed;
}

bool flush_output() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  complain("standard output did not take everything; is the disk full?");
  return false;
}

}  // namespace demarche::cli
