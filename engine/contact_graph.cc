#include "engine/contact_graph.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "engine/contact.h"

namespace demarche {

namespace {

// Ids get numbers in the order in which they are met.
class FirstMet {
 public:
  std::uint32_t number(std::uint64_t id) {
    if (id >= kDenseIds) {
      const auto [at, fresh] = sparse_.try_emplace(id, static_cast<std::uint32_t>(ids_.size()));
      if (fresh) ids_.push_back(id);
      return at->second;
    }
    if (id >= dense_.size()) dense_.resize(std::max(id + 1, 2 * dense_.size()), kNone);
    std::uint32_t& slot = dense_[id];
    if (slot == kNone) {
      slot = static_cast<std::uint32_t>(ids_.size());
      ids_.push_back(id);
    }
    return slot;
  }
  [[nodiscard]] std::size_t size() const { return ids_.size(); }

  // Appends the ids in ascending order; gives the place of each number among them.
  std::vector<std::uint32_t> rank(std::vector<std::uint64_t>& ascending) const {
    std::vector<std::uint32_t> order(ids_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
    std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) { return ids_[a] < ids_[b]; });
    std::vector<std::uint32_t> place(ids_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      place[order[i]] = static_cast<std::uint32_t>(i);
      ascending.push_back(ids_[order[i]]);
    }
    return place;
  }

 private:
  static constexpr std::uint64_t kDenseIds = std::uint64_t{1} << 26;  // ids are dense as a rule: 4 bytes each
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> dense_;
  std::unordered_map<std::uint64_t, std::uint32_t> sparse_;
  std::vector<std::uint64_t> ids_;
};

bool may_be_from(Side side) { return side == Side::kFrom || side == Side::kBoth; }
bool may_be_to(Side side) { return side == Side::kTo || side == Side::kBoth; }

bool was_held(Status status) { return status == Status::kHeld || status == Status::kNone; }

struct Link {
  std::uint32_t source;
  std::uint32_t target;
  std::uint32_t line;  // where its columns stand
};

// Stable, by one of its ends.
void counting_sort(std::vector<Link>& links, std::vector<Link>& scratch, std::size_t vertices,
                   std::uint32_t Link::*end) {
  std::vector<std::uint32_t> next(vertices + 1, 0);
  for (const Link& link : links) ++next[link.*end + 1];
  for (std::size_t v = 0; v < vertices; ++v) next[v + 1] += next[v];
  scratch.resize(links.size());
  for (const Link& link : links) scratch[next[link.*end]++] = link;
  links.swap(scratch);
}

}  // namespace

// Takes edges in any order, between actors (or from actors to interactions), and makes the graph of them.
class GraphBuilder {
 public:
  explicit GraphBuilder(const GraphOptions& options) : options_(options) {}

  struct Facts {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::uint64_t interaction = 0;
    std::uint32_t weight = 1;
  };

  void add(std::uint64_t source, std::uint64_t target, const Facts& facts) {
    if (source == target && !options_.self_contacts) return;
    push(actors_.number(source), actors_.number(target), facts);
  }
  // Columns as they come from a scan.
  void add(const ContactLines& lines) {
    const bool times = options_.columns.begin;
    for (std::size_t i = 0; i < lines.size; ++i) {
      Facts facts;
      if (times) facts.begin = lines.begin[i];
      if (options_.columns.end) facts.end = lines.bounds[i].end_max.seconds;
      if (options_.columns.interaction) facts.interaction = lines.interaction[i];
      add(lines.actor[i], lines.other[i], facts);
    }
  }
  // One interaction with its parties.
  void add(std::span<const Party> parties, bool rule, const Facts& facts) {
    if (options_.projection == Projection::kBipartite) return add_bipartite(parties, facts);
    pairs_.clear();
    for (const auto& [i, j] : contact_pairs(parties, rule)) {
      pairs_.emplace_back(parties[i].actor.value, parties[j].actor.value);
    }
    if (options_.directed) find_arcs(parties, rule);
    for (const auto& [source, target] : pairs_) add(source, target, facts);
  }

  [[nodiscard]] Result<void> check_size() const {
    if (links_.size() <= ContactGraph::kEdgesMax && actors_.size() + interactions_.size() <= ContactGraph::kEdgesMax) {
      return {};
    }
    return make_error(ErrorCode::kLimit,
                      "the graph has more than 2,147,483,647 edges or vertices; narrow the window or the kinds");
  }

  Result<ContactGraph> finish(const StopCheck& stop) {
    if (options_.projection == Projection::kPairs && options_.columns.interaction) {
      return invalid("an edge of a pair stands for several interactions and names none; ask for an edge each");
    }
    DEMARCHE_CHECK(check_size());
    ContactGraph out;
    out.directed_ = options_.directed;
    number_vertices(out);
    DEMARCHE_CHECK(check_stop(stop));
    std::vector<Link> scratch;
    counting_sort(links_, scratch, out.ids_.size(), &Link::target);
    counting_sort(links_, scratch, out.ids_.size(), &Link::source);
    scratch = {};
    DEMARCHE_CHECK(check_stop(stop));
    take_columns(out);
    DEMARCHE_CHECK(check_stop(stop));
    place_edges(out);
    return out;
  }

 private:
  void push(std::uint32_t source, std::uint32_t target, const Facts& facts) {
    links_.push_back({source, target, static_cast<std::uint32_t>(links_.size())});
    if (options_.columns.begin) begins_.push_back(facts.begin);
    if (options_.columns.end) ends_.push_back(facts.end);
    if (options_.columns.interaction) interaction_column_.push_back(facts.interaction);
    if (facts.weight != 1 || !weights_.empty()) {
      weights_.resize(links_.size() - 1, 1);
      weights_.push_back(facts.weight);
    }
  }

  // Ordered pairs that an arrow from side to side allows, each once.
  void find_arcs(std::span<const Party> parties, bool rule) {
    pairs_.clear();
    for (std::size_t i = 0; i < parties.size(); ++i) {
      if (!may_be_from(party_side(parties, i))) continue;
      for (std::size_t j = 0; j < parties.size(); ++j) {
        if (!may_be_to(party_side(parties, j)) || !in_contact(parties, i, j, rule)) continue;
        pairs_.emplace_back(parties[i].actor.value, parties[j].actor.value);
      }
    }
    std::sort(pairs_.begin(), pairs_.end());
    pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
  }

  // Edges to interactions are told from those to actors by the projection: `target` numbers interactions, and of
  // those the other way round too, marked in `backward_`.
  void add_bipartite(std::span<const Party> parties, const Facts& facts) {
    pairs_.clear();
    for (std::size_t i = 0; i < parties.size(); ++i) {
      const Side side = party_side(parties, i);
      if (!options_.directed || may_be_from(side)) pairs_.emplace_back(parties[i].actor.value, 0);
      if (options_.directed && may_be_to(side)) pairs_.emplace_back(parties[i].actor.value, 1);
    }
    std::sort(pairs_.begin(), pairs_.end());
    pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
    for (const auto& [actor, backward] : pairs_) {
      push(actors_.number(actor), interactions_.number(facts.interaction), facts);
      backward_.push_back(backward != 0);
    }
  }

  void number_vertices(ContactGraph& out) {
    out.ids_.reserve(actors_.size() + interactions_.size());
    const std::vector<std::uint32_t> actors = actors_.rank(out.ids_);
    out.actor_count_ = out.ids_.size();
    if (options_.projection != Projection::kBipartite) {
      for (Link& link : links_) {
        link.source = actors[link.source];
        link.target = actors[link.target];
        if (!options_.directed && link.target < link.source) std::swap(link.source, link.target);
      }
      return;
    }
    const std::vector<std::uint32_t> interactions = interactions_.rank(out.ids_);
    for (std::size_t i = 0; i < links_.size(); ++i) {
      links_[i].source = actors[links_[i].source];
      links_[i].target = interactions[links_[i].target] + static_cast<std::uint32_t>(out.actor_count_);
      if (backward_[i]) std::swap(links_[i].source, links_[i].target);
    }
  }

  // Weights and columns in the order of the edges; edges of one pair become one for kPairs.
  void take_columns(ContactGraph& out) {
    const bool merge = options_.projection == Projection::kPairs;
    if (!merge) {
      const auto take = [this](const auto& from, auto& to) {
        if (from.empty()) return;
        to.resize(links_.size());
        for (std::size_t e = 0; e < links_.size(); ++e) to[e] = from[links_[e].line];
      };
      take(begins_, out.begins_);
      take(ends_, out.ends_);
      take(interaction_column_, out.interactions_);
      take(weights_, out.weights_);
      return;
    }
    std::size_t edges = 0;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      const Link link = links_[i];
      const std::uint32_t weight = weights_.empty() ? 1 : weights_[link.line];
      if (i > 0 && link.source == links_[edges - 1].source && link.target == links_[edges - 1].target) {
        std::uint32_t& sum = out.weights_[edges - 1];
        sum = std::numeric_limits<std::uint32_t>::max() - sum < weight ? std::numeric_limits<std::uint32_t>::max()
                                                                       : sum + weight;
        if (!begins_.empty()) out.begins_.back() = std::min(out.begins_.back(), begins_[link.line]);
        if (!ends_.empty()) out.ends_.back() = std::max(out.ends_.back(), ends_[link.line]);
        continue;
      }
      links_[edges++] = link;
      out.weights_.push_back(weight);
      if (!begins_.empty()) out.begins_.push_back(begins_[link.line]);
      if (!ends_.empty()) out.ends_.push_back(ends_[link.line]);
    }
    links_.resize(edges);
    out.weights_.shrink_to_fit();
    out.begins_.shrink_to_fit();
    out.ends_.shrink_to_fit();
  }

  // REQUIRES: links by (source, target).
  void place_edges(ContactGraph& out) const {
    const std::size_t vertices = out.ids_.size();
    out.edge_count_ = links_.size();
    out.offsets_.assign(2 * vertices + 1, 0);
    for (const Link& link : links_) {
      ++out.offsets_[2 * std::size_t{link.source} + 1];
      ++out.offsets_[2 * std::size_t{link.target} + 2];
    }
    for (std::size_t i = 0; i < 2 * vertices; ++i) out.offsets_[i + 1] += out.offsets_[i];
    out.neighbours_.resize(2 * links_.size());
    out.edges_.resize(2 * links_.size());
    std::vector<std::uint32_t> next(out.offsets_.begin(), out.offsets_.end() - 1);
    for (std::size_t e = 0; e < links_.size(); ++e) {
      const auto place = [&](std::uint32_t& at, std::uint32_t other) {
        out.neighbours_[at] = other;
        out.edges_[at++] = static_cast<std::uint32_t>(e);
      };
      place(next[2 * std::size_t{links_[e].source}], links_[e].target);
      place(next[2 * std::size_t{links_[e].target} + 1], links_[e].source);
    }
  }

  const GraphOptions& options_;
  FirstMet actors_;
  FirstMet interactions_;
  std::vector<Link> links_;
  std::vector<std::int64_t> begins_;
  std::vector<std::int64_t> ends_;
  std::vector<std::uint64_t> interaction_column_;
  std::vector<std::uint32_t> weights_;  // empty: 1 each
  std::vector<bool> backward_;          // bipartite: from the interaction to the actor
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs_;
};

Result<ContactGraph> ContactGraph::make(const View& view, const GraphOptions& options, const StopCheck& stop) {
  GraphBuilder builder(options);
  if (!options.directed && options.projection != Projection::kBipartite) {
    ContactScanOptions scan_options;
    scan_options.window = options.window;
    scan_options.fit = options.fit;
    scan_options.kinds = options.kinds;
    scan_options.held_only = options.held_only;
    scan_options.columns = static_cast<std::uint8_t>(ContactColumn::kOther);
    if (options.columns.begin) scan_options.columns = scan_options.columns | ContactColumn::kBegin;
    if (options.columns.end) scan_options.columns = scan_options.columns | ContactColumn::kBounds;
    if (options.columns.interaction) scan_options.columns = scan_options.columns | ContactColumn::kInteraction;
    DEMARCHE_TRY(ContactScan scan, ContactScan::timeline(view, scan_options));
    ContactLines lines;
    while (true) {
      DEMARCHE_TRY(const bool more, scan.next(lines));
      if (!more) return builder.finish(stop);
      builder.add(lines);
      DEMARCHE_CHECK(check_stop(stop));
      DEMARCHE_CHECK(builder.check_size());
    }
  }
  const KindSet& kinds = options.kinds.is_any() ? view.kinds().contacts() : options.kinds;
  DEMARCHE_TRY(RowCursor cursor, view.timeline(options.window, kinds));
  RowBatch rows;
  while (true) {
    DEMARCHE_CHECK(cursor.next(rows));
    if (rows.size() == 0) return builder.finish(stop);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (options.held_only && !was_held(rows.status[i])) continue;
      if (!fits(rows.bounds[i], options.window, options.fit)) continue;
      builder.add(rows.parties_of(i), has_contact_rule(view.kinds(), rows.kind[i]),
                  {rows.bounds[i].begin_min.seconds, rows.bounds[i].end_max.seconds, rows.interaction[i].value});
    }
    DEMARCHE_CHECK(check_stop(stop));
    DEMARCHE_CHECK(builder.check_size());
  }
}

Result<ContactGraph> ContactGraph::of_interactions(const View& view, std::span<const InteractionId> interactions,
                                                   const GraphOptions& options, const StopCheck& stop) {
  constexpr std::size_t kCheckEvery = 1024;
  std::vector<InteractionId> ids(interactions.begin(), interactions.end());
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  GraphBuilder builder(options);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i % kCheckEvery == 0) DEMARCHE_CHECK(check_stop(stop));
    DEMARCHE_TRY(const Interaction record, view.get_interaction(ids[i]));
    const TimeBounds bounds = record.when ? record.when->bounds : TimeBounds{};
    if (!options.kinds.contains(record.kind) || !fits(bounds, options.window, options.fit)) continue;
    if (options.held_only && !was_held(record.status)) continue;
    builder.add(parties_of(record.participants), has_contact_rule(view.kinds(), record.kind),
                {bounds.begin_min.seconds, bounds.end_max.seconds, ids[i].value});
    DEMARCHE_CHECK(builder.check_size());
  }
  return builder.finish(stop);
}

Result<ContactGraph> ContactGraph::of_edges(std::span<const GivenEdge> edges, const GraphOptions& options) {
  if (options.projection == Projection::kBipartite) {
    return invalid("edges between actors make no bipartite graph; choose another projection");
  }
  if (options.columns.begin || options.columns.end || options.columns.interaction) {
    return invalid("edges that are given have no columns; ask for none");
  }
  GraphBuilder builder(options);
  for (const GivenEdge& edge : edges) builder.add(edge.source.value, edge.target.value, {0, 0, 0, edge.weight});
  return builder.finish({});
}

std::optional<ContactGraph::Vertex> ContactGraph::find(ActorId actor) const {
  const auto end = ids_.begin() + static_cast<std::ptrdiff_t>(actor_count_);
  const auto at = std::lower_bound(ids_.begin(), end, actor.value);
  if (at == end || *at != actor.value) return std::nullopt;
  return static_cast<Vertex>(at - ids_.begin());
}

std::uint64_t ContactGraph::total_weight() const {
  if (weights_.empty()) return edge_count_;
  std::uint64_t sum = 0;
  for (const std::uint32_t weight : weights_) sum += weight;
  return sum;
}

ContactGraph::Memory ContactGraph::memory() const {
  const auto bytes = [](const auto& column) { return column.capacity() * sizeof(column[0]); };
  return {bytes(ids_) + bytes(offsets_), bytes(neighbours_) + bytes(edges_),
          bytes(weights_) + bytes(begins_) + bytes(ends_) + bytes(interactions_)};
}

}  // namespace demarche
