// System calls that Swift's Glibc module hides: recvmmsg, sendmmsg, and a classic BPF program.
#ifndef CNETWORK_H
#define CNETWORK_H

#include <stdint.h>

// One datagram that was received.
struct cnetwork_datagram {
  uint32_t length;
  // Whether it was longer than its slot.
  uint8_t truncated;
  // 4 or 6.
  uint8_t family;
  // In host order.
  uint16_t port;
  // IPv4 in the first four octets, in network order.
  uint8_t address[16];
};

enum { CNETWORK_SLOTS = 64 };

// Receives up to `slots` (at most CNETWORK_SLOTS) datagrams into a buffer of `slots * stride` octets:
// waits for the first as long as the socket's SO_RCVTIMEO if `waits` is not 0, and takes what else is
// there. Gives back their number, or -1 and errno. `overflow` becomes the socket's drop counter where
// the kernel tells.
int cnetwork_receive(int socket, uint8_t *buffer, int slots, int stride,
                     struct cnetwork_datagram *datagrams, uint32_t *overflow, int waits);

// Sends `count` (at most CNETWORK_SLOTS) datagrams that lie `stride` octets apart on a connected
// socket. Gives back how many were sent, or -1 and errno.
int cnetwork_send(int socket, const uint8_t *buffer, const uint32_t *lengths, int count, int stride);

// Makes the kernel choose among the sockets that share a port by the last 32 bits of the source
// address, modulo their number, in the order in which they were bound. 0, or -1 and errno.
int cnetwork_steer_by_source(int socket, uint32_t sockets);

// Has the kernel report drops with each datagram (SO_RXQ_OVFL). 0, or -1 and errno.
int cnetwork_report_overflow(int socket);

#endif
