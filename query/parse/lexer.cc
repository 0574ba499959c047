#include "query/parse/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>
#include <utf8proc.h>

#include "engine/names.h"

namespace demarche::query {

namespace {

// Longest first.
constexpr std::array<std::string_view, 34> kSymbols = {
    "<>", "<=", ">=", "=~", "..", "+=", "->", "<-", "||", "(", ")", "[", "]", "{", "}", ",", ":",
    ";",  ".",  "+",  "-",  "*",  "/",  "%",  "^",  "=",  "<", ">", "|", "&", "!", "$", "?", "@"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_byte(char c) {
  const auto u = static_cast<unsigned char>(c);
  return std::isalnum(u) != 0 || c == '_' || u >= 0x80;
}
bool is_word_start(char c) { return is_word_byte(c) && !is_digit(c); }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    if (!is_utf8(text_)) return syntax_error("InvalidUnicode", {0, 1}, "the query is not valid UTF-8");
    while (true) {
      DEMARCHE_CHECK(skip_blanks());
      if (at_ >= text_.size()) break;
      DEMARCHE_CHECK(next());
    }
    add(TokenKind::kEnd, "", at_);
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void add(TokenKind kind, std::string text, std::size_t from) {
    tokens_.push_back({kind, std::move(text), {from, std::max<std::size_t>(1, at_ - from)}});
  }

  Result<void> skip_blanks() {
    while (at_ < text_.size()) {
      if (std::isspace(static_cast<unsigned char>(peek())) != 0) {
        ++at_;
      } else if (text_.substr(at_).starts_with("\xC2\xA0") || text_.substr(at_).starts_with("\xEF\xBB\xBF")) {
        at_ += peek() == '\xC2' ? 2 : 3;  // no-break space; byte order mark
      } else if (peek() == '/' && peek(1) == '/') {
        while (at_ < text_.size() && peek() != '\n') ++at_;
      } else if (peek() == '/' && peek(1) == '*') {
        const std::size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) {
          return syntax_error("UnexpectedSyntax", {at_, 2}, "this comment is not closed; write */ at its end");
        }
        at_ = end + 2;
      } else {
        break;
      }
    }
    return {};
  }

  Result<void> next() {
    const char c = peek();
    if (is_word_start(c)) return word();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (c == '\'' || c == '"') return string(c);
    if (c == '`') return quoted();
    if (c == '$' && (is_word_byte(peek(1)) || peek(1) == '`')) return parameter();
    if (text_.substr(at_).starts_with("==")) {
      return syntax_error("UnexpectedSyntax", {at_, 2}, "'==' is not of this language; write '='");
    }
    if (text_.substr(at_).starts_with("!=")) {
      return syntax_error("UnexpectedSyntax", {at_, 2}, "'!=' is not of this language; write '<>'");
    }
    for (const std::string_view symbol : kSymbols) {
      if (text_.substr(at_).starts_with(symbol)) {
        const std::size_t from = at_;
        at_ += symbol.size();
        add(TokenKind::kSymbol, std::string(symbol), from);
        return {};
      }
    }
    return syntax_error("UnexpectedSyntax", {at_, 1}, fmt::format("the character '{}' begins nothing here", c));
  }

  Result<void> word() {
    const std::size_t from = at_;
    while (is_word_byte(peek()) && !text_.substr(at_).starts_with("\xC2\xA0")) ++at_;
    const std::string_view text = text_.substr(from, at_ - from);
    // Typographic quotes come with pasted text and look like letters to the rule above.
    if (text.find("\xE2\x80\x98") != std::string_view::npos || text.find("\xE2\x80\x99") != std::string_view::npos ||
        text.find("\xE2\x80\x9C") != std::string_view::npos) {
      return syntax_error("InvalidUnicodeCharacter", {from, at_ - from},
                          "typographic quotes; write 'text' with straight ones");
    }
    // So do long dashes and the sign minus.
    for (const std::string_view dash : {"\xE2\x80\x90", "\xE2\x80\x91", "\xE2\x80\x92", "\xE2\x80\x93", "\xE2\x80\x94",
                                        "\xE2\x80\x95", "\xE2\x88\x92"}) {
      if (text.find(dash) == std::string_view::npos) continue;
      return syntax_error("InvalidUnicodeCharacter", {from, at_ - from}, "a typographic dash; write '-'");
    }
    add(TokenKind::kWord, std::string(text), from);
    return {};
  }

  Result<void> quoted() {
    const std::size_t from = at_;
    std::string name;
    for (++at_;; ++at_) {
      if (at_ >= text_.size()) return syntax_error("UnexpectedSyntax", {from, 1}, "this back-tick is not closed");
      if (peek() == '`') {
        ++at_;
        if (peek() != '`') break;  // two stand for one
      }
      name += peek();
    }
    add(TokenKind::kQuoted, std::move(name), from);
    return {};
  }

  Result<void> parameter() {
    const std::size_t from = at_++;
    if (peek() == '`') {
      DEMARCHE_CHECK(quoted());
      tokens_.back().kind = TokenKind::kParameter;
      tokens_.back().span = {from, at_ - from};
      return {};
    }
    while (is_word_byte(peek())) ++at_;
    add(TokenKind::kParameter, std::string(text_.substr(from + 1, at_ - from - 1)), from);
    return {};
  }

  Result<void> number() {
    const std::size_t from = at_;
    bool real = false;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'o')) {
      at_ += 2;
    } else {
      while (is_digit(peek())) ++at_;
      if (peek() == '.' && is_digit(peek(1))) {
        real = true;
        for (++at_; is_digit(peek());) ++at_;
      }
      const bool sign = peek(1) == '+' || peek(1) == '-';
      if ((peek() == 'e' || peek() == 'E') && is_digit(peek(sign ? 2 : 1))) {
        real = true;
        for (at_ += sign ? 2 : 1; is_digit(peek());) ++at_;
      }
    }
    const std::size_t digits_end = at_;
    while (is_word_byte(peek())) ++at_;
    std::string text(text_.substr(from, at_ - from));
    const bool prefixed = text.size() > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'o');
    if (!prefixed && digits_end != at_) {
      if (!tokens_.empty() && tokens_.back().kind == TokenKind::kSymbol && tokens_.back().text == "{") {
        return syntax_error("UnexpectedSyntax", {from, at_ - from},
                            fmt::format("a property name cannot begin with a digit; write `{}`", text));
      }
      return syntax_error("InvalidNumberLiteral", {from, at_ - from}, fmt::format("'{}' is not a number", text));
    }
    add(real ? TokenKind::kFloat : TokenKind::kInteger, std::move(text), from);
    return {};
  }

  Result<void> escape(std::string& out) {
    const std::size_t from = at_++;
    const char c = peek();
    constexpr std::string_view kFrom = "nrtbf\\'\"`/";
    constexpr std::string_view kTo = "\n\r\t\b\f\\'\"`/";
    if (const std::size_t i = kFrom.find(c); c != '\0' && i != std::string_view::npos) {
      out += kTo[i];
      ++at_;
      return {};
    }
    if (at_ >= text_.size()) return syntax_error("UnexpectedSyntax", {from, 1}, "the query ends within this escape");
    const std::size_t digits = c == 'u' ? 4 : (c == 'U' ? 8 : 0);
    if (digits == 0) {
      return syntax_error("UnexpectedSyntax", {from, 2},
                          fmt::format("unknown escape '\\{}'; write \\\\ for a backslash", c));
    }
    const std::string hex(text_.substr(std::min(at_ + 1, text_.size()), digits));
    const bool ok = hex.size() == digits &&
                    std::all_of(hex.begin(), hex.end(), [](unsigned char h) { return std::isxdigit(h) != 0; });
    const auto code = ok ? static_cast<utf8proc_int32_t>(std::stoul(hex, nullptr, 16)) : -1;
    if (!ok || !utf8proc_codepoint_valid(code)) {
      return syntax_error("InvalidUnicodeLiteral", {from, 2 + hex.size()},
                          fmt::format("'\\{}{}' is no character", c, hex));
    }
    utf8proc_uint8_t bytes[4];
    const auto n = utf8proc_encode_char(code, bytes);
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n));
    at_ += 1 + digits;
    return {};
  }

  Result<void> string(char quote) {
    const std::size_t from = at_++;
    std::string out;
    while (true) {
      if (at_ >= text_.size()) {
        return syntax_error("UnexpectedSyntax", {from, 1},
                            fmt::format("this text is not closed; write {} at its end", quote));
      }
      if (peek() == quote) break;
      if (peek() == '\\') {
        DEMARCHE_CHECK(escape(out));
      } else {
        out += text_[at_++];
      }
    }
    ++at_;
    add(TokenKind::kString, std::move(out), from);
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view text) { return Lexer(text).run(); }

tl::unexpected<Error> fault(std::string type, std::string detail, Span span, std::string message, std::string phase) {
  Error error{ErrorCode::kInvalidArgument, std::move(message), nullptr};
  error.fault = std::make_shared<QueryFault>(QueryFault{std::move(type), std::move(phase), std::move(detail),
                                                        span.offset, std::max<std::size_t>(1, span.length), true});
  return tl::unexpected<Error>(std::move(error));
}

tl::unexpected<Error> syntax_error(std::string detail, Span span, std::string message) {
  return fault("SyntaxError", std::move(detail), span, std::move(message));
}

}  // namespace demarche::query
