// Rows of a statement that runs on a server, taken as they come.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proto/remote_wire.h"

namespace demarche::proto {

// What the server pushes, and what the program has not yet taken. A call of the server is answered once its rows were
// taken, so that no more than a few batches are ever on their way.
struct IncomingRows : kj::Refcounted {
  std::vector<std::string> columns;
  std::uint64_t batches = 0;  // that have come
  std::deque<RowsBatch> ready;
  kj::Vector<kj::Own<kj::PromiseFulfiller<void>>> taken;   // one for each that is ready
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> changed;  // wakes the one who waits
  kj::Maybe<kj::Exception> failed;
  std::unique_ptr<Error> error;

  void wake() {
    KJ_IF_MAYBE (waiter, changed) (*waiter)->fulfill();
    changed = nullptr;
  }
};

class RowSinkServer final : public wire::RowSink::Server {
 public:
  explicit RowSinkServer(kj::Own<IncomingRows> rows) : rows_(kj::mv(rows)) {}

  kj::Promise<void> rows(RowsContext context) override {
    const auto params = context.getParams();
    for (const auto column : params.getColumns()) rows_->columns.push_back(text_of(column));
    RowsBatch batch;
    auto done = read_batch(params.getBatch(), batch);
    ++rows_->batches;
    if (!done) {
      rows_->error = std::make_unique<Error>(done.error());
      rows_->wake();
      return KJ_EXCEPTION(FAILED, "the rows were not understood");
    }
    rows_->ready.push_back(std::move(batch));
    auto paf = kj::newPromiseAndFulfiller<void>();
    rows_->taken.add(kj::mv(paf.fulfiller));
    rows_->wake();
    return kj::mv(paf.promise);
  }

  [[nodiscard]] static Result<void> read_batch(wire::Batch::Reader in, RowsBatch& out) {
    out.size = in.getRows();
    out.columns.clear();
    for (const auto column : in.getColumns()) {
      DEMARCHE_TRY(auto values, read_column(column, out.size));
      out.columns.push_back(std::move(values));
    }
    return {};
  }

 private:
  kj::Own<IncomingRows> rows_;
};

template <typename Results>
class RemoteRows final : public Rows {
 public:
  RemoteRows(LinkPtr link, SnapshotPtr state, kj::Own<IncomingRows> incoming, capnp::RemotePromise<Results> outcome,
             const std::atomic<bool>* cancel)
      : link_(std::move(link)), state_(std::move(state)), incoming_(kj::mv(incoming)), cancel_(cancel) {
    call_ = outcome
                .then([this](capnp::Response<Results>&& response) {
                  if (response.hasRefusal()) {
                    incoming_->error = std::make_unique<Error>(read_refusal(response.getRefusal()));
                  } else {
                    outcome_ = kj::mv(response);
                  }
                  incoming_->wake();
                })
                .eagerlyEvaluate([this](kj::Exception&& e) {
                  incoming_->failed = kj::mv(e);
                  incoming_->wake();
                });
  }

  // Letting go before the end stops the statement.
  ~RemoteRows() noexcept override {
    if (outcome_ != nullptr || incoming_->failed != nullptr) return;
    call_ = kj::Promise<void>(kj::READY_NOW);
    link_->settle();
  }

  // Of a statement that wrote: the state it left.
  void show(SnapshotPtr state) { state_ = std::move(state); }

  // Waits until it is known whether the statement is one, and what columns it has.
  [[nodiscard]] Result<void> start() {
    while (incoming_->batches == 0 && outcome_ == nullptr) DEMARCHE_CHECK(more());
    KJ_IF_MAYBE (outcome, outcome_) {
      DEMARCHE_CHECK(finish(*outcome));
    } else {
      columns_ = incoming_->columns;
    }
    return {};
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  [[nodiscard]] Result<void> next(RowsBatch& batch) override {
    batch = {};
    while (incoming_->ready.empty()) {
      KJ_IF_MAYBE (outcome, outcome_) {
        if (incoming_->batches == outcome->getBatches()) {
          if (!finished_) DEMARCHE_CHECK(finish(*outcome));
          if (last_.size > 0) batch = std::move(last_);
          last_ = {};
          return {};
        }
      }
      DEMARCHE_CHECK(more());
    }
    if (incoming_->error != nullptr) return tl::unexpected(*incoming_->error);
    batch = std::move(incoming_->ready.front());
    incoming_->ready.pop_front();
    auto taken = kj::mv(incoming_->taken);
    incoming_->taken = {};
    for (std::size_t i = 0; i < taken.size(); ++i) {
      if (i == 0) {
        taken[i]->fulfill();
      } else {
        incoming_->taken.add(kj::mv(taken[i]));
      }
    }
    if (batch.size == 0) return next(batch);  // a batch of nothing is not the end
    return {};
  }

  const std::vector<std::string>& notices() const override { return notices_; }
  const query::Changes& changes() const override { return changes_; }
  const Snapshot& state() const override { return *state_; }

 private:
  [[nodiscard]] Result<void> finish(capnp::Response<Results>& outcome) {
    finished_ = true;
    if (columns_.empty()) {
      for (const auto column : outcome.getColumns()) columns_.push_back(text_of(column));
    }
    for (const auto notice : outcome.getNotices()) notices_.push_back(text_of(notice));
    if (outcome.hasChanges()) changes_ = read_changes(outcome.getChanges());
    return RowSinkServer::read_batch(outcome.getLast(), last_);
  }

  // Waits for something to happen.
  [[nodiscard]] Result<void> more() {
    if (incoming_->error != nullptr) return tl::unexpected(*incoming_->error);
    KJ_IF_MAYBE (e, incoming_->failed) return tl::unexpected(link_->error_of(*e));
    auto paf = kj::newPromiseAndFulfiller<void>();
    incoming_->changed = kj::mv(paf.fulfiller);
    auto waited = link_->wait<bool>(paf.promise.then([]() { return true; }), cancel_);
    if (!waited) {
      call_ = kj::Promise<void>(kj::READY_NOW);  // dropping the call stops the statement
      link_->settle();
      return tl::unexpected(std::move(waited).error());
    }
    if (incoming_->error != nullptr) return tl::unexpected(*incoming_->error);
    KJ_IF_MAYBE (e, incoming_->failed) return tl::unexpected(link_->error_of(*e));
    return {};
  }

  LinkPtr link_;
  SnapshotPtr state_;
  kj::Own<IncomingRows> incoming_;
  const std::atomic<bool>* cancel_;
  kj::Promise<void> call_ = kj::READY_NOW;
  kj::Maybe<capnp::Response<Results>> outcome_;
  bool finished_ = false;
  RowsBatch last_;
  std::vector<std::string> columns_;
  std::vector<std::string> notices_;
  query::Changes changes_;
};

}  // namespace demarche::proto
