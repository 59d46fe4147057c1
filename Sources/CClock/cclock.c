#include "cclock.h"

#include <string.h>
#include <sys/timex.h>

const uint32_t cclock_unsynchronised = STA_UNSYNC;

int cclock_read(struct cclock_discipline *discipline) {
  struct timex state;
  memset(&state, 0, sizeof state);
  int result = adjtimex(&state);
  if (result < 0) return -1;
  discipline->state = result;
  discipline->status = (uint32_t)state.status;
  discipline->offset_nanoseconds = (state.status & STA_NANO) ? state.offset : state.offset * 1000;
  discipline->maximum_error = state.maxerror;
  discipline->estimated_error = state.esterror;
  return 0;
}
