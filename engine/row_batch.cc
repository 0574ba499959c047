#include "engine/row_batch.h"

namespace demarche {

void RowBatch::clear() {
  row.clear();
  interaction.clear();
  kind.clear();
  status.clear();
  dated.clear();
  bounds.clear();
  party_begin.assign(1, 0);
  parties.clear();
}

void RowBatch::append(const RowBatch& from, std::size_t i) {
  row.push_back(from.row[i]);
  interaction.push_back(from.interaction[i]);
  kind.push_back(from.kind[i]);
  status.push_back(from.status[i]);
  dated.push_back(from.dated[i]);
  bounds.push_back(from.bounds[i]);
  const std::span<const Party> row_parties = from.parties_of(i);
  parties.insert(parties.end(), row_parties.begin(), row_parties.end());
  party_begin.push_back(static_cast<std::uint32_t>(parties.size()));
}

}  // namespace demarche
