#ifndef NOROSHI_PREFETCH_H
#define NOROSHI_PREFETCH_H

/// Asks for the cache line at `address` ahead of a write to it. Any address is allowed.
static inline void noroshi_prefetch(const void *address) {
#if defined(__x86_64__)
  // The compiler writes this instruction only for processors it is told about, though all have it.
  __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
#else
  __builtin_prefetch(address, 1, 3);
#endif
}

#endif
