// Statements: run by jobs, their rows pushed into the client's sink no faster than it takes them. While one batch is on
// its way the next is made; no thread waits for a client.

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "proto/ack_window.h"
#include "proto/serve_session.h"
#include "proto/view_answers.h"
#include "query/query.h"

namespace demarche::proto {

namespace {

constexpr std::size_t kBatchBytes = std::size_t{192} << 10;
constexpr std::size_t kBatchRows = 8192;
constexpr std::chrono::milliseconds kBatchTime{50};  // a slow query hands out what it has

// A statement on its way; used by one job at a time.
struct StatementRun {
  CancelFlag cancel = false;
  std::string text;
  std::map<std::string, query::Value> parameters;
  std::shared_ptr<const View> view;
  bool may_write = false;
  bool in_turn = false;  // runs where statements that write take turns
  std::chrono::milliseconds time_max{};

  std::unique_ptr<query::ResultCursor> cursor;
  query::ResultRows rows;  // taken from the cursor
  std::size_t taken = 0;   // of these
};

// Rows as a message, and whether they are the last.
struct Produced {
  std::shared_ptr<capnp::MallocMessageBuilder> batch;  // root wire::Batch
  std::vector<std::string> columns;
  std::vector<std::string> notices;
  query::Changes changes;
  CommitNumber commit;
  bool end = false;
  bool wait_turn = false;  // the statement writes: nothing was done yet
};

// False: it must wait for its turn.
Result<bool> open_cursor(StatementRun& run, Store& store, const ServerLimits& limits) {
  DEMARCHE_TRY(const bool writes, query::statement_writes(run.text));
  if (writes && !run.may_write) {
    return make_error(ErrorCode::kDenied,
                      "the statement writes, and this capability only reads; ask a Writer to execute it");
  }
  if (writes && !run.in_turn) return false;
  query::QueryOptions options;
  options.time_max = run.time_max;
  options.rows_held_max = limits.query_rows_held;
  options.cancel = &run.cancel;
  if (run.view != nullptr) pin(options, store, *run.view);
  DEMARCHE_ASSIGN(run.cursor, query::run_query(store, run.text, run.parameters, options));
  return true;
}

using Columns = std::vector<std::vector<query::Value>>;

// Moves rows of the cursor into `columns` until they make a batch. True: there are no more.
Result<bool> collect(StatementRun& run, const ServerLimits& limits, Columns& columns, std::size_t& count) {
  const auto until = std::chrono::steady_clock::now() + kBatchTime;
  std::size_t bytes = 0;
  while (bytes < kBatchBytes && count < kBatchRows) {
    if (run.taken == run.rows.size()) {
      if (count > 0 && std::chrono::steady_clock::now() > until) return false;
      run.taken = 0;
      DEMARCHE_CHECK(run.cursor->next(run.rows));
      if (run.rows.size() == 0) return true;
    }
    std::size_t row = 0;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const query::Value& value = run.rows.column(c)[run.taken];
      DEMARCHE_CHECK(check_depth(value));
      row += size_of(value, limits.row_bytes);
      columns[c].push_back(value);
    }
    if (row > limits.row_bytes) {
      return make_error(ErrorCode::kLimit, "a row of the answer takes more than " +
                                               std::to_string(limits.row_bytes >> 20) +
                                               " MiB, the server's limit; return less in one row");
    }
    bytes += row;
    ++run.taken;
    ++count;
  }
  return false;
}

Result<Produced> produce(StatementRun& run, Store& store, const ServerLimits& limits) {
  Produced out;
  if (run.cursor == nullptr) {
    DEMARCHE_TRY(const bool opened, open_cursor(run, store, limits));
    out.wait_turn = !opened;
    if (out.wait_turn) return out;
  }
  Columns columns(run.cursor->columns().size());
  std::size_t count = 0;
  DEMARCHE_ASSIGN(out.end, collect(run, limits, columns, count));
  out.batch = std::make_shared<capnp::MallocMessageBuilder>();
  auto batch = out.batch->initRoot<wire::Batch>();
  batch.setRows(static_cast<std::uint32_t>(count));
  auto columns_out = batch.initColumns(static_cast<capnp::uint>(columns.size()));
  for (capnp::uint i = 0; i < columns_out.size(); ++i) write_column(columns[i].data(), count, columns_out[i]);
  out.columns = run.cursor->columns();
  if (out.end) {
    out.notices = run.cursor->notices();
    out.changes = run.cursor->changes();
    out.commit = run.cursor->view().statistics().commit;
    run.cursor.reset();
  }
  return out;
}

void set_texts(const std::vector<std::string>& texts, capnp::List<capnp::Text>::Builder out) {
  for (capnp::uint i = 0; i < out.size(); ++i) out.set(i, texts[i]);
}

capnp::uint count_of(const std::vector<std::string>& texts) { return static_cast<capnp::uint>(texts.size()); }

template <typename Context>
class StatementCall {
 public:
  StatementCall(SessionRef session, Context context)
      : session_(kj::mv(session)),
        context_(context),
        window_(session_->server.timer, session_->server.options.limits.stall.count() * kj::MILLISECONDS) {}
  ~StatementCall() noexcept(false) {
    run_->cancel.store(true);
    session_->query_bytes -= bytes_;
  }
  KJ_DISALLOW_COPY(StatementCall);

  kj::Promise<void> start(std::shared_ptr<const View> view, bool may_write) {
    const ServerLimits& limits = session_->server.options.limits;
    const auto params = context_.getParams();
    const std::size_t bytes = params.totalSize().wordCount * sizeof(capnp::word);
    // What counts against the connection's flow limit until this call returns must leave room for the sink's answers.
    if (session_->query_bytes + bytes > limits.query_bytes) {
      return refused(
          make_error(session_->query_bytes == 0 ? ErrorCode::kLimit : ErrorCode::kOverloaded,
                     "the texts and parameters of the statements that run on this connection take more than " +
                         std::to_string(limits.query_bytes >> 10) + " KiB, the server's limit")
              .value());
    }
    bytes_ = bytes;
    session_->query_bytes += bytes;
    run_->text = text_of(params.getText());
    auto parameters = read_parameters(params.getParameters());
    if (!parameters) return refused(parameters.error());
    run_->parameters = std::move(*parameters);
    run_->view = std::move(view);
    run_->may_write = may_write;
    run_->time_max = limits.query;
    if (params.getSecondsMax() > 0)
      run_->time_max = std::min<std::chrono::milliseconds>(limits.query, std::chrono::seconds(params.getSecondsMax()));
    if (params.hasSink()) sink_ = params.getSink();
    context_.releaseParams();
    ++session_->server.queries;
    return next().then([this](Result<Produced> made) { return step(std::move(made)); });
  }

 private:
  kj::Promise<void> refused(const Error& error) {
    refuse(*session_, error, context_.getResults());
    return kj::READY_NOW;
  }

  kj::Promise<Result<Produced>> next() {
    ServerHost& server = session_->server;
    return session_->run_in<Result<Produced>>(
        lane_, [run = run_, &store = server.store, &limits = server.options.limits](const CancelFlag&) {
          return produce(*run, store, limits);
        });
  }

  kj::Promise<void> step(Result<Produced> made) {
    if (!made) return refused(made.error());
    if (made->wait_turn) {
      run_->in_turn = true;
      lane_ = session_->server.write_lane;
      return next().then([this](Result<Produced> again) { return step(std::move(again)); });
    }
    if (made->end) {
      return window_.all_taken().then([this, last = std::move(*made)]() { finish(last); });
    }
    KJ_IF_MAYBE (sink, sink_) {
      const auto batch = made->batch->template getRoot<wire::Batch>().asReader();
      SinkCall<wire::RowSink, wire::RowSink::RowsParams> call(*sink, batch.totalSize());
      call.params.setBatch(batch);
      if (batches_ == 0) set_texts(made->columns, call.params.initColumns(count_of(made->columns)));
      ++batches_;
      made->batch.reset();
      window_.add(call.request.send().ignoreResult());
      auto more = next();  // made while this one is on its way
      return window_.room()
          .then([more = kj::mv(more)]() mutable { return kj::mv(more); })
          .then([this](Result<Produced> following) { return step(std::move(following)); });
    }
    return refused(make_error(ErrorCode::kLimit, "the answer is too long to come without a sink; give one").value());
  }

  void finish(const Produced& made) {
    auto results = context_.getResults();
    set_texts(made.columns, results.initColumns(count_of(made.columns)));
    set_texts(made.notices, results.initNotices(count_of(made.notices)));
    results.setBatches(batches_);
    results.setLast(made.batch->template getRoot<wire::Batch>().asReader());
    results.setCommit(made.commit.value);
    if (made.changes.commit.value != 0) write_changes(made.changes, results.initChanges());
  }

  SessionRef session_;
  Context context_;
  std::shared_ptr<Lane> lane_ = session_->lane;
  std::shared_ptr<StatementRun> run_ = std::make_shared<StatementRun>();
  kj::Maybe<wire::RowSink::Client> sink_;
  AckWindow window_;
  std::size_t bytes_ = 0;
  std::uint64_t batches_ = 0;
};

}  // namespace

template <typename Context>
kj::Promise<void> run_statement(SessionRef session, std::shared_ptr<const View> view, bool may_write, Context context) {
  session->check();
  context.allowCancellation();
  auto call = kj::heap<StatementCall<Context>>(kj::mv(session), context);
  auto promise = call->start(std::move(view), may_write);
  return promise.attach(kj::mv(call));
}

template kj::Promise<void> run_statement(SessionRef, std::shared_ptr<const View>, bool,
                                         wire::Snapshot::Server::QueryContext);
template kj::Promise<void> run_statement(SessionRef, std::shared_ptr<const View>, bool,
                                         wire::Writer::Server::ExecuteContext);

}  // namespace demarche::proto
