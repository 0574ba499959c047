// A session on a store of this process.

#include <utility>

#include "proto/session.h"
#include "proto/view_answers.h"

namespace demarche::proto {

namespace {

class LocalSnapshot;

class LocalRows final : public Rows {
 public:
  LocalRows(std::unique_ptr<query::ResultCursor> cursor, std::shared_ptr<const Snapshot> state)
      : cursor_(std::move(cursor)), state_(std::move(state)) {}
  const std::vector<std::string>& columns() const override { return cursor_->columns(); }
  Result<void> next(RowsBatch& batch) override {
    DEMARCHE_CHECK(cursor_->next(rows_));
    batch.size = rows_.size();
    batch.columns.resize(columns().size());
    for (std::size_t i = 0; i < batch.columns.size(); ++i) batch.columns[i] = rows_.column(i);
    return {};
  }
  const std::vector<std::string>& notices() const override { return cursor_->notices(); }
  const query::Changes& changes() const override { return cursor_->changes(); }
  const Snapshot& state() const override { return *state_; }

 private:
  std::unique_ptr<query::ResultCursor> cursor_;
  query::ResultRows rows_;
  std::shared_ptr<const Snapshot> state_;
};

class LocalLines final : public Lines {
 public:
  explicit LocalLines(std::unique_ptr<LineScan> scan) : scan_(std::move(scan)) {}
  Result<void> next(ContactLines& lines) override { return scan_->next(lines); }

 private:
  std::unique_ptr<LineScan> scan_;
};

class LocalSnapshot final : public Snapshot {
 public:
  LocalSnapshot(Store& store, std::shared_ptr<const View> view) : store_(store), view_(std::move(view)) {}

  const KindTable& kinds() const override { return view_->kinds(); }
  const Statistics& statistics() const override { return view_->statistics(); }

  Result<std::unique_ptr<Rows>> query(std::string_view text, const std::map<std::string, query::Value>& parameters,
                                      const query::QueryOptions& options) override {
    DEMARCHE_TRY(const bool writes, query::statement_writes(text));
    if (writes) return make_error(ErrorCode::kDenied, "the statement writes, and a state is only read");
    query::QueryOptions pinned = options;
    if (pinned.as_of.empty()) pin(pinned, store_, *view_);
    DEMARCHE_TRY(auto cursor, query::run_query(store_, text, parameters, pinned));
    return std::make_unique<LocalRows>(std::move(cursor), shared_from_this());
  }

  Result<std::optional<InteractionId>> find_interaction(const std::string& key) const override {
    return view_->find_interaction(key);
  }
  Result<std::optional<SourceId>> find_source(const std::string& key) const override { return view_->find_source(key); }
  Result<ActorId> resolve_actor(const std::string& name) const override { return view_->resolve_actor(name); }
  Result<std::vector<NameMatch>> names(const std::string& prefix, std::size_t limit) const override {
    return view_->names(prefix, limit);
  }
  Result<Actor> get_actor(ActorId id) const override { return view_->get_actor(id); }
  Result<Interaction> get_interaction(InteractionId id) const override { return view_->get_interaction(id); }
  Result<Source> get_source(SourceId id) const override { return view_->get_source(id); }
  Result<std::vector<InteractionId>> offices(ActorId id) const override { return offices_of(*view_, id); }
  Result<std::string> nearest_key(const std::string& text) const override { return nearest_key_of(*view_, text); }
  Result<std::vector<ContactBefore>> contacts_before(const TimeBounds& bounds,
                                                     const BeforeOptions& options) const override {
    return demarche::contacts_before(*view_, bounds, options);
  }
  Result<std::optional<Arrival>> earliest_arrival(ActorId from, ActorId to,
                                                  const ChronologyOptions& options) const override {
    return demarche::earliest_arrival(*view_, from, to, options);
  }
  Result<Totals> totals() const override { return totals_of(*view_, store_.path()); }
  void expect(const std::vector<ActorId>&, const std::vector<InteractionId>&) const override {}
  const View* view() const override { return view_.get(); }

  Result<std::uint64_t> count(const ActorExprPtr& set) override {
    DEMARCHE_TRY(const auto ids, evaluate(*view_, set, {}));
    return ids.size();
  }
  Result<std::uint64_t> count(const InteractionExprPtr& set) override {
    DEMARCHE_TRY(const auto ids, evaluate(*view_, set, {}));
    return ids.size();
  }
  Result<ActorPage> page(const ActorExprPtr& set, const PageOptions& options) override {
    DEMARCHE_TRY(const auto ids, evaluate(*view_, set, {}));
    ActorPage out;
    out.ids = cut_page(ids, options, out.more);
    for (std::size_t i = 0; options.records && i < out.ids.size(); ++i) {
      DEMARCHE_TRY(Actor record, view_->get_actor(out.ids[i]));
      out.records.push_back(std::move(record));
    }
    return out;
  }
  Result<InteractionPage> page(const InteractionExprPtr& set, const PageOptions& options) override {
    DEMARCHE_TRY(const auto ids, evaluate(*view_, set, {}));
    InteractionPage out;
    out.ids = cut_page(ids, options, out.more);
    for (std::size_t i = 0; options.records && i < out.ids.size(); ++i) {
      DEMARCHE_TRY(Interaction record, view_->get_interaction(out.ids[i]));
      out.records.push_back(std::move(record));
    }
    return out;
  }
  Result<std::unique_ptr<Lines>> lines(const InteractionExprPtr& set) override {
    DEMARCHE_TRY(auto scan, LineScan::open(view_, set, {}));
    return std::make_unique<LocalLines>(std::move(scan));
  }

 private:
  Store& store_;
  std::shared_ptr<const View> view_;
};

class LocalSession final : public Session {
 public:
  LocalSession(Store& store, Access access) : store_(store), access_(access) {}

  Result<SnapshotPtr> snapshot() override { return std::make_shared<LocalSnapshot>(store_, store_.view()); }
  Result<SnapshotPtr> snapshot_at(CommitNumber commit) override {
    DEMARCHE_TRY(auto view, store_.view_at(commit));
    return std::make_shared<LocalSnapshot>(store_, std::move(view));
  }
  Result<SnapshotPtr> snapshot_as_of(const std::string& system_time) override {
    DEMARCHE_TRY(auto view, query::view_as_of(store_, system_time));
    return std::make_shared<LocalSnapshot>(store_, std::move(view));
  }
  Result<std::unique_ptr<Rows>> query(std::string_view text, const std::map<std::string, query::Value>& parameters,
                                      const query::QueryOptions& options) override {
    if (access_ == Access::kReader) {
      DEMARCHE_TRY(const bool writes, query::statement_writes(text));
      if (writes) return make_error(ErrorCode::kDenied, "the statement writes, and this session only reads");
    }
    DEMARCHE_TRY(auto cursor, query::run_query(store_, text, parameters, options));
    // The cursor's own view lives as long as it does; what is shown of its values is read from the same commit.
    DEMARCHE_TRY(auto view, store_.view_at(cursor->view().statistics().commit));
    return std::make_unique<LocalRows>(std::move(cursor), std::make_shared<LocalSnapshot>(store_, std::move(view)));
  }
  Result<RecordReport> record(std::string_view lines, const std::string& note, const std::string& commit_id) override {
    if (access_ == Access::kReader) return make_error(ErrorCode::kDenied, "this session only reads");
    DEMARCHE_TRY(const auto spool, SpoolFile::make());
    DEMARCHE_CHECK(spool->write(lines));
    return record_lines(store_, spool->path(), note, commit_id);
  }
  Access access() const override { return access_; }
  Result<CommitNumber> checkpoint() override {
    if (access_ != Access::kAdmin) return make_error(ErrorCode::kDenied, "only an admin may do that");
    DEMARCHE_CHECK(store_.seal());
    return store_.view()->statistics().commit;
  }

 private:
  Store& store_;
  Access access_;
};

}  // namespace

std::unique_ptr<Session> local_session(Store& store, Access access) {
  return std::make_unique<LocalSession>(store, access);
}

}  // namespace demarche::proto
