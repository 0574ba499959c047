#include "engine/impl/bulk_commit.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/impl/key_codec.h"
#include "engine/impl/plain_page.h"
#include "engine/impl/read_state.h"
#include "engine/impl/row_block.h"
#include "engine/impl/seal.h"
#include "engine/impl/tail.h"

namespace demarche::impl {

namespace {

// Memory of one gathered row: the row, its other actor, and its share of the sort.
constexpr std::size_t kBytesPerRow = sizeof(IndexRow) + 2 * sizeof(std::uint64_t);
constexpr std::size_t kSampleEvery = 64;

// Sorted files want keys in order. Merging removes and adds blocks of one owner and class out of order, so the changes
// of one are held back until the next begins.
class TableSink final : public BlockSink {
 public:
  explicit TableSink(KvTables& tables) : tables_(tables) {}
  void put(Family family, std::string_view key, std::string_view value) override {
    family_ = family;
    held_[std::string(key)] = std::string(value);
  }
  void remove(Family family, std::string_view key) override {
    family_ = family;
    held_.try_emplace(std::string(key), std::nullopt);  // what was put under it stays
  }
  void flush() {
    for (const auto& [key, value] : held_) {
      if (value) {
        tables_.put(family_, key, *value);
      } else {
        tables_.remove(family_, key);
      }
    }
    held_.clear();
  }

 private:
  KvTables& tables_;
  Family family_ = Family::kMeta;
  std::map<std::string, std::optional<std::string>> held_;
};

// Straight through, where nothing is stored and so nothing comes out of order.
class DirectSink final : public BlockSink {
 public:
  explicit DirectSink(KvTables& tables) : tables_(tables) {}
  void put(Family family, std::string_view key, std::string_view value) override { tables_.put(family, key, value); }
  void remove(Family family, std::string_view key) override { tables_.remove(family, key); }

 private:
  KvTables& tables_;
};

auto time_order(const IndexRow& row) { return std::tie(row.begin.seconds, row.row); }

// Rows of one page with shapes and forms of the common dictionary.
class PageReader {
 public:
  explicit PageReader(RowDictionary& dictionary) : dictionary_(dictionary) {}

  Result<void> open(std::string_view bytes) {
    DEMARCHE_CHECK(page.parse(bytes));
    shapes_.clear();
    forms_.clear();
    classes_.clear();
    for (const Shape& shape : page.rows().shapes()) shapes_.push_back(dictionary_.intern(shape));
    for (const Form& form : page.rows().forms()) forms_.push_back(dictionary_.intern(form));
    return {};
  }
  [[nodiscard]] IndexRow row(std::size_t i) const {
    const RowBlock& rows = page.rows();
    IndexRow out;
    out.begin = rows.begin(i);
    out.row = rows.row(i);
    out.interaction = rows.interaction(i);
    out.kind = rows.kind(i).value;
    out.shape = shapes_[rows.shape_column().raw(i)];
    out.form = forms_[rows.form_column().raw(i)];
    return out;
  }

  PlainPage page;

 private:
  RowDictionary& dictionary_;
  std::vector<std::uint32_t> shapes_;
  std::vector<std::uint32_t> forms_;
  std::vector<LengthClass> classes_;
};

class BulkWriter {
 public:
  BulkWriter(const BulkRows& in, const KvReader* stored, KvTables& tables)
      : in_(in), stored_(stored), tables_(tables), table_sink_(tables), direct_sink_(tables) {
    rows_in_memory_ = std::max<std::size_t>(in.memory_bytes / kBytesPerRow, 2 * kBlockRowsMax);
  }

  Result<void> run(const std::function<Result<std::vector<Party>>(std::uint64_t row)>& listed, KvBatch& batch) {
    listed_ = listed;
    DEMARCHE_CHECK(survey());
    DEMARCHE_CHECK(put_statistics(batch));
    DEMARCHE_CHECK(write_actors());
    return write_timeline();
  }

 private:
  BlockSink& sink() { return stored_ != nullptr ? static_cast<BlockSink&>(table_sink_) : direct_sink_; }

  LengthClass class_of(const IndexRow& row) const {
    return length_class(dictionary_.shape(row.shape).bounds(row.begin));
  }

  // The actors of a row, each once, with its position among the parties.
  template <typename Call>
  Result<void> for_each_actor(const RowBlock& rows, std::size_t i, std::uint64_t row, const Form& form, Call call) {
    if (form.listed) {
      DEMARCHE_TRY(const std::vector<Party> parties, listed_(row));
      std::vector<std::uint64_t> actors;
      for (const Party& party : parties) actors.push_back(party.actor.value);
      std::sort(actors.begin(), actors.end());
      actors.erase(std::unique(actors.begin(), actors.end()), actors.end());
      for (const std::uint64_t actor : actors) call(actor, std::size_t{0}, false);
      return {};
    }
    const std::size_t first = rows.others_begin(i);
    for (std::size_t k = 0; k < form.count; ++k) {
      const std::uint64_t actor = rows.other(first + k).value;
      bool again = false;  // stands earlier in the row
      bool twice = false;  // stands elsewhere in the row
      for (std::size_t j = 0; j < form.count; ++j) {
        if (j == k || rows.other(first + j).value != actor) continue;
        twice = true;
        again = again || j < k;
      }
      if (!again) call(actor, k, twice);
    }
    return {};
  }

  // First reading: plain pages, how many rows and other actors each actor has, and samples of the times.
  Result<void> survey() {
    entries_.assign(in_.next_actor.value, 0);
    others_.assign(in_.next_actor.value, 0);
    PageReader reader(dictionary_);
    RowCounter counter(in_.statistics->counts);
    RowBlockEncoder encoder;
    PageRows plain;
    std::optional<std::pair<LengthClass, IndexRow>> before;
    std::uint64_t seen = 0;
    return in_.pages->for_each(0, [&](std::string_view bytes) -> Result<void> {
      DEMARCHE_CHECK(reader.open(bytes));
      const RowBlock& rows = reader.page.rows();
      bool all_plain = true;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const IndexRow row = reader.row(i);
        const LengthClass length = class_of(row);
        sorted_ = sorted_ && (!before || (before->first == length && time_order(before->second) < time_order(row)));
        before = {length, row};
        if (seen++ % kSampleEvery == 0) samples_.emplace_back(length, row.begin);
        classes_[static_cast<std::size_t>(length)] = true;
        all_plain = all_plain && reader.page.fields(i).text != DateTextForm::kRich;
        const Form& form = dictionary_.form(row.form);
        std::size_t actors = 0;
        DEMARCHE_CHECK(for_each_actor(rows, i, row.row, form, [&](std::uint64_t actor, std::size_t, bool) {
          ++actors;
          ++entries_[actor];
          others_[actor] += form.count == 0 ? 0U : form.count - 1U;
        }));
        const bool dated = (dictionary_.shape(row.shape).flags & Shape::kDated) != 0;
        counter.add(KindId{row.kind}, dated, row.begin, actors);
      }
      if (all_plain) {
        tables_.put(Family::kPlain, encode_u64(rows.row(rows.size() - 1)), bytes);
        return {};
      }
      plain.clear();
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const PlainFields fields = reader.page.fields(i);
        if (fields.text == DateTextForm::kRich) continue;
        rows.append_to(plain.list, dictionary_, i);
        plain.fields.push_back(fields);
      }
      if (!plain.fields.empty()) {
        tables_.put(Family::kPlain, encode_u64(plain.list.rows.back().row),
                    encode_page(plain, 0, plain.fields.size(), dictionary_, encoder));
      }
      return {};
    });
  }

  Result<void> put_statistics(KvBatch& batch) {
    const auto put = [&batch](std::string_view key, std::string_view value) { batch.put(Family::kMeta, key, value); };
    DegreeWriter writer(stored_, in_.statistics->degrees);
    for (std::uint64_t actor = 1; actor < entries_.size(); ++actor) {
      if (entries_[actor] > 0) DEMARCHE_CHECK(writer.add(actor, entries_[actor], put));
    }
    writer.finish(put);
    put(kStatisticsKey, in_.statistics->encode());
    return {};
  }

  // Actors in ascending order, as many at a time as the memory holds.
  Result<void> write_actors() {
    BlockMerger merger(stored_, sink(), dictionary_);
    std::uint64_t first = 1;
    while (first < entries_.size()) {
      std::uint64_t last = first;
      std::uint64_t rows = 0;
      std::uint64_t others = 0;
      while (last < entries_.size() && (last == first || rows + entries_[last] <= rows_in_memory_)) {
        rows += entries_[last];
        others += others_[last++];
      }
      if (rows > 0) DEMARCHE_CHECK(write_actor_range(merger, first, last, rows, others));
      first = last;
    }
    return {};
  }

  Result<void> write_actor_range(BlockMerger& merger, std::uint64_t first, std::uint64_t last, std::uint64_t row_count,
                                 std::uint64_t other_count) {
    std::vector<IndexRow> rows(row_count);
    std::vector<std::uint64_t> others(other_count);
    std::vector<std::uint32_t> row_at(last - first);
    std::vector<std::uint32_t> other_at(last - first);
    std::uint32_t next_row = 0;
    std::uint32_t next_other = 0;
    for (std::uint64_t actor = first; actor < last; ++actor) {
      row_at[actor - first] = std::exchange(next_row, next_row + entries_[actor]);
      other_at[actor - first] = std::exchange(next_other, next_other + others_[actor]);
    }
    PageReader reader(dictionary_);
    const auto read = [&](std::string_view bytes) -> Result<void> {
      DEMARCHE_CHECK(reader.open(bytes));
      const RowBlock& page = reader.page.rows();
      for (std::size_t i = 0; i < page.size(); ++i) {
        const IndexRow row = reader.row(i);
        const std::size_t begin = page.others_begin(i);
        const Form form = dictionary_.form(row.form);
        const auto place = [&](std::uint64_t actor, std::size_t self, bool twice) {
          if (actor < first || actor >= last) return;
          IndexRow& out = rows[row_at[actor - first]++];
          out = row;
          out.others_begin = other_at[actor - first];
          if (form.listed) return;
          if (twice) {
            Form marked = form;
            for (std::size_t k = 0; k < form.count; ++k) {
              if (page.other(begin + k).value == actor)
                marked.self_mask = static_cast<std::uint8_t>(marked.self_mask | 1U << k);
            }
            out.form = dictionary_.intern(marked);
          } else {
            out.form = dictionary_.form_of_self(row.form, self);
          }
          for (std::size_t k = 0; k < form.count; ++k) {
            const std::uint64_t other = page.other(begin + k).value;
            if (other != actor) others[other_at[actor - first]++] = other;
          }
        };
        DEMARCHE_CHECK(for_each_actor(page, i, row.row, form, place));
      }
      return {};
    };
    DEMARCHE_CHECK(in_.pages->for_each(0, read));
    // row_at now stands where each actor's rows end.
    std::uint32_t from = 0;
    for (std::uint64_t actor = first; actor < last; ++actor) {
      const std::uint32_t to = row_at[actor - first];
      const std::span<IndexRow> mine = std::span(rows).subspan(from, to - from);
      from = to;
      if (!mine.empty()) DEMARCHE_CHECK(write_owner(merger, actor, mine, others));
    }
    return {};
  }

  // Sorts the rows of one actor and writes them, class by class.
  Result<void> write_owner(BlockMerger& merger, std::uint64_t owner, std::span<IndexRow> rows,
                           std::span<const std::uint64_t> others) {
    const auto less = [this](const IndexRow& a, const IndexRow& b) {
      return std::tuple(class_of(a), a.begin.seconds, a.row) < std::tuple(class_of(b), b.begin.seconds, b.row);
    };
    if (!sorted_ && !std::is_sorted(rows.begin(), rows.end(), less)) std::sort(rows.begin(), rows.end(), less);
    for (std::size_t first = 0; first < rows.size();) {
      const LengthClass length = class_of(rows[first]);
      std::size_t last = first + 1;
      if (sorted_) {
        last = rows.size();
      } else {
        while (last < rows.size() && class_of(rows[last]) == length) ++last;
      }
      DEMARCHE_CHECK(merger.merge(owner, length, rows.subspan(first, last - first), others));
      first = last;
    }
    table_sink_.flush();
    return {};
  }

  // The timeline, a stretch of one class at a time.
  Result<void> write_timeline() {
    BlockMerger merger(stored_, sink(), dictionary_);
    if (sorted_) {
      bool begun = false;
      PageReader reader(dictionary_);
      std::vector<std::uint64_t> others;
      const auto read = [&](std::string_view bytes) -> Result<void> {
        DEMARCHE_CHECK(reader.open(bytes));
        const RowBlock& page = reader.page.rows();
        for (std::size_t i = 0; i < page.size(); ++i) {
          const IndexRow row = reader.row(i);
          if (!std::exchange(begun, true)) merger.begin(kTimelineOwner, class_of(row));
          take_others(page, i, row, others);
          DEMARCHE_CHECK(merger.add(row, others));
        }
        return {};
      };
      DEMARCHE_CHECK(in_.pages->for_each(0, read));
      if (begun) DEMARCHE_CHECK(merger.finish());
      table_sink_.flush();
      return {};
    }
    std::sort(samples_.begin(), samples_.end());
    const std::size_t samples_each = std::max<std::size_t>(rows_in_memory_ / kSampleEvery / 2, 1);
    for (std::size_t c = 0; c < kLengthClassCount; ++c) {
      if (!classes_[c]) continue;
      const auto length = static_cast<LengthClass>(c);
      merger.begin(kTimelineOwner, length);
      // Stretches between samples: [from, to) of begins.
      std::vector<Timestamp> cuts;
      std::size_t since = 0;
      for (const auto& [sample_class, begin] : samples_) {
        if (sample_class == length && ++since % samples_each == 0 && (cuts.empty() || cuts.back() < begin)) {
          cuts.push_back(begin);
        }
      }
      for (std::size_t k = 0; k <= cuts.size(); ++k) {
        const std::optional<Timestamp> from = k == 0 ? std::nullopt : std::optional(cuts[k - 1]);
        const std::optional<Timestamp> to = k == cuts.size() ? std::nullopt : std::optional(cuts[k]);
        DEMARCHE_CHECK(write_stretch(merger, length, from, to));
      }
      DEMARCHE_CHECK(merger.finish());
      table_sink_.flush();
    }
    return {};
  }

  void take_others(const RowBlock& page, std::size_t i, const IndexRow& row, std::vector<std::uint64_t>& out) const {
    out.clear();
    const std::size_t begin = page.others_begin(i);
    for (std::size_t k = 0; k < dictionary_.form(row.form).others(); ++k) out.push_back(page.other(begin + k).value);
  }

  Result<void> write_stretch(BlockMerger& merger, LengthClass length, std::optional<Timestamp> from,
                             std::optional<Timestamp> to) {
    RowList list;
    PageReader reader(dictionary_);
    std::vector<std::uint64_t> others;
    const auto read = [&](std::string_view bytes) -> Result<void> {
      DEMARCHE_CHECK(reader.open(bytes));
      const RowBlock& page = reader.page.rows();
      for (std::size_t i = 0; i < page.size(); ++i) {
        IndexRow row = reader.row(i);
        if (class_of(row) != length || (from && row.begin < *from) || (to && row.begin >= *to)) continue;
        take_others(page, i, row, others);
        row.others_begin = static_cast<std::uint32_t>(list.others.size());
        list.others.insert(list.others.end(), others.begin(), others.end());
        list.rows.push_back(row);
      }
      return {};
    };
    DEMARCHE_CHECK(in_.pages->for_each(0, read));
    list.sort();
    for (const IndexRow& row : list.rows) {
      DEMARCHE_CHECK(
          merger.add(row, std::span(list.others).subspan(row.others_begin, dictionary_.form(row.form).others())));
    }
    return {};
  }

  const BulkRows& in_;
  const KvReader* stored_;
  KvTables& tables_;
  TableSink table_sink_;
  DirectSink direct_sink_;
  RowDictionary dictionary_;
  std::function<Result<std::vector<Party>>(std::uint64_t row)> listed_;
  std::size_t rows_in_memory_ = 0;
  std::vector<std::uint32_t> entries_;  // by actor
  std::vector<std::uint32_t> others_;   // by actor
  std::vector<std::pair<LengthClass, Timestamp>> samples_;
  std::array<bool, kLengthClassCount> classes_ = {};
  bool sorted_ = true;  // all of one class, in order of (begin, row)
};

}  // namespace

Result<void> write_bulk(const BulkRows& rows, const KvReader* stored, KvBatch& batch, KvTables& tables) {
  BulkWriter writer(rows, stored, tables);
  DEMARCHE_CHECK(writer.run([&batch](std::uint64_t row) { return listed_parties(batch, row); }, batch));
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    const auto family = static_cast<Family>(i);
    batch.for_each(family, [&](std::string_view key, std::optional<std::string_view> value) {
      if (value) {
        tables.put(family, key, *value);
      } else {
        tables.remove(family, key);
      }
    });
  }
  return {};
}

}  // namespace demarche::impl
