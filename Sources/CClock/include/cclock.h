// What Swift's Glibc module hides: adjtimex.
#ifndef CCLOCK_H
#define CCLOCK_H

#include <stdint.h>

// What the kernel says about its clock.
struct cclock_discipline {
  // TIME_OK, TIME_INS, TIME_DEL, TIME_OOP, TIME_WAIT, TIME_ERROR: 0 to 5.
  int state;
  // STA_ bits.
  uint32_t status;
  // The offset that is still being slewed away, in nanoseconds.
  int64_t offset_nanoseconds;
  // In microseconds.
  int64_t maximum_error;
  int64_t estimated_error;
};

// Reads the state without changing anything. 0, or -1 and errno.
int cclock_read(struct cclock_discipline *discipline);

// The bit of `status` that says that nobody keeps the clock (STA_UNSYNC).
extern const uint32_t cclock_unsynchronised;

#endif
