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

}  // namespace demarche
