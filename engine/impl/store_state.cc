#include "engine/impl/store_state.h"

#include <algorithm>
#include <map>

#include "engine/impl/kill_point.h"
#include "engine/impl/seal.h"

namespace demarche {

namespace {

class WritesSink final : public impl::BlockSink {
 public:
  explicit WritesSink(impl::KvWrites& writes) : writes_(writes) {}
  void put(impl::Family family, std::string_view key, std::string_view value) override {
    writes_.put(family, key, value);
  }
  void remove(impl::Family family, std::string_view key) override { writes_.remove(family, key); }

 private:
  impl::KvWrites& writes_;
};

Statistics statistics_of(const impl::Head& head) {
  return {head.commit,
          head.record.time_micros,
          head.record.actor_count,
          head.record.interaction_count,
          head.record.source_count,
          head.record.time_stated};
}

// What the statistics are once `part` is sealed. `before`: the state with its blocks and without it.
Result<impl::KeptStatistics> seal_statistics(const impl::ReadState& before, const impl::TailPart& part,
                                             impl::BlockSink& sink) {
  const auto put = [&sink](std::string_view key, std::string_view value) { sink.put(impl::Family::kMeta, key, value); };
  impl::KeptStatistics out;
  if (before.statistics) {
    out = before.statistics->kept;
    out.counts.add(part.tail->counts());
    std::vector<std::uint64_t> entries;
    (void)part.tail->entries_from(0, entries);
    std::sort(entries.begin(), entries.end());
    impl::DegreeWriter writer(before.reader.get(), out.degrees);
    for (std::size_t first = 0; first < entries.size();) {
      std::size_t last = first + 1;
      while (last < entries.size() && entries[last] == entries[first]) ++last;
      DEMARCHE_CHECK(writer.add(entries[first], last - first, put));
      first = last;
    }
    writer.finish(put);
  } else {
    auto with_part = std::make_shared<impl::ReadState>(before);
    with_part->tails.assign(1, part.tail);
    with_part->visible.row_end = ~std::uint64_t{0};
    with_part->visible.as_of = part.last;
    std::map<std::uint64_t, std::uint64_t> degrees;
    DEMARCHE_ASSIGN(out, impl::count_state(with_part, &degrees));
    impl::DegreeHistogram again;
    impl::DegreeWriter writer(nullptr, again);
    for (const auto& [actor, entries] : degrees) DEMARCHE_CHECK(writer.add(actor, entries, put));
    writer.finish(put);
  }
  out.upto = part.last;
  put(impl::kStatisticsKey, out.encode());
  return out;
}

}  // namespace

namespace impl {

Result<void> append_page_rows(const KvReader& reader, std::string_view bytes, Tail& tail) {
  PlainPage page;
  DEMARCHE_CHECK(page.parse(bytes));
  const RowBlock& rows = page.rows();
  std::vector<Party> parties;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Shape& shape = rows.shape(i);
    const Form& form = rows.form(i);
    if ((shape.flags & Shape::kDamaged) != 0 || rows.kind(i).value == 0) {
      return make_error(ErrorCode::kCorruption,
                        "commit_rows: a row points outside its page; stop writing to this store");
    }
    parties.clear();
    if (form.listed) {
      DEMARCHE_ASSIGN(parties, listed_parties(reader, rows.row(i)));
    } else {
      const std::size_t first = rows.others_begin(i);
      for (std::size_t k = 0; k < form.count; ++k) {
        const std::uint16_t agent = form.agent[k] == Form::kNoAgent ? Party::kNoAgent : form.agent[k];
        parties.push_back({rows.other(first + k), form.role[k], agent});
      }
    }
    RowSource source;
    source.row = RowNumber{rows.row(i)};
    source.interaction = InteractionId{rows.interaction(i)};
    source.kind = rows.kind(i);
    source.status = shape.status;
    source.parties = parties;
    if ((shape.flags & Shape::kDated) != 0) source.bounds = shape.bounds(rows.begin(i));
    tail.append(source);
  }
  tail.append_page(std::string(bytes), rows.row(0), rows.row(rows.size() - 1));
  return {};
}

}  // namespace impl

Store::State::~State() {
  {
    const std::lock_guard lock(mutex);
    stopping = true;
    seal_wanted.notify_all();
  }
  if (sealer.joinable()) sealer.join();
}

std::shared_ptr<const impl::ReadState> Store::State::read_state(const impl::Head& of) const {
  auto state = std::make_shared<impl::ReadState>();
  state->reader = reader;
  for (const impl::TailPart& part : tails) state->tails.push_back(part.tail);
  state->visible = {of.record.next_row.value, of.commit, of.retired};
  state->epoch = epoch;
  state->cache = cache;
  state->statistics = statistics;
  return state;
}

std::shared_ptr<const View> Store::State::make_view(const impl::Head& of) const {
  return std::make_shared<View>(read_state(of), of.kinds, statistics_of(of));
}

void Store::State::publish(const impl::Head& of) {
  visible = of;
  published = make_view(of);
}

void Store::State::begin_tail() {
  tails.emplace_back();
  seal_wanted.notify_all();
}

Result<void> Store::State::seal_oldest(std::unique_lock<std::mutex>& lock) {
  const impl::TailPart part = tails.front();
  const auto before = read_state(head);
  lock.unlock();
  const auto writes = kv->make_writes();
  WritesSink sink(*writes);
  auto built = impl::seal_tail(*before->reader, *part.tail, part.commits, sink);
  auto counted = built ? seal_statistics(*before, part, sink) : tl::unexpected(built.error());
  const std::vector<std::uint64_t> owners = part.tail->owners();
  lock.lock();
  if (!counted) return tl::unexpected(std::move(counted).error());
  impl::kill_point("seal.built");
  // Not synced: should it be lost, so is the removal of the commits' own pages, and the tail is there again.
  DEMARCHE_CHECK(kv->write(*writes, /*sync=*/false));
  impl::kill_point("seal.written");
  reader = kv->snapshot();
  tails.erase(tails.begin());
  statistics = std::make_shared<const impl::StatisticsBase>(*std::move(counted));
  cache->touch(owners, ++epoch);
  publish(visible);
  return {};
}

Result<void> Store::State::count_anew() {
  const auto writes = kv->make_writes();
  WritesSink sink(*writes);
  const auto before = read_state(head);
  impl::TailPart nothing;
  nothing.last = head.commit;
  DEMARCHE_TRY(auto counted, seal_statistics(*before, nothing, sink));
  if (auto written = kv->write(*writes, /*sync=*/false); !written) {
    failed = written.error();
    return written;
  }
  reader = kv->snapshot();
  statistics = std::make_shared<const impl::StatisticsBase>(std::move(counted));
  tails.assign(1, nothing);
  publish(visible);
  return {};
}

Result<void> Store::State::seal_all(std::unique_lock<std::mutex>& lock) {
  // The turn keeps commits out, so that the tail begun here stays empty meanwhile.
  if (tails.back().tail->size() > 0) begin_tail();
  seal_done.wait(lock, [this] { return tails.size() == 1 || failed; });
  return failed ? Result<void>(tl::unexpected(*failed)) : Result<void>{};
}

void Store::State::run_sealer() {
  std::unique_lock lock(mutex);
  while (true) {
    seal_wanted.wait(lock, [this] { return stopping || (tails.size() > 1 && !failed); });
    if (stopping) return;
    if (auto sealed = seal_oldest(lock); !sealed) {
      failed = std::move(sealed).error().with_context(fmt::format("'{}': sealing", path));
    }
    seal_done.notify_all();
  }
}

Result<void> Store::State::wait_synced(CommitNumber n) {
  std::unique_lock lock(mutex);
  while (durable < n) {
    if (failed) return tl::unexpected(*failed);
    if (syncing) {
      synced.wait(lock);
      continue;
    }
    syncing = true;
    const impl::Head upto = head;
    lock.unlock();
    // Whatever is in the log before this goes to disk with it.
    const auto writes = kv->make_writes();
    writes->put(impl::Family::kMeta, impl::kSyncedKey, impl::encode_u64(upto.commit.value));
    Result<void> done = kv->write(*writes, /*sync=*/true);
    if (done) {
      impl::kill_point("commit.synced");
      done = high_water.set(path, upto.commit);
      impl::kill_point("commit.marked");
      if (!done) {
        Error error = std::move(done).error();
        error.code = ErrorCode::kOutcomeUnknown;
        done = tl::unexpected(std::move(error).with_context(fmt::format("commit {} was kept, but", upto.commit.value)));
      }
    }
    lock.lock();
    syncing = false;
    if (done) {
      durable = upto.commit;
      publish(upto);
    } else {
      failed = std::move(done).error();
    }
    synced.notify_all();
  }
  return {};
}

}  // namespace demarche
