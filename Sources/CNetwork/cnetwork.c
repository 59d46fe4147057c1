#define _GNU_SOURCE
#include "cnetwork.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

int cnetwork_receive(int socket, uint8_t *buffer, int slots, int stride,
                     struct cnetwork_datagram *datagrams, uint32_t *overflow, int waits) {
  struct mmsghdr messages[CNETWORK_SLOTS];
  struct iovec parts[CNETWORK_SLOTS];
  struct sockaddr_in6 sources[CNETWORK_SLOTS];
  union {
    char octets[CMSG_SPACE(sizeof(uint32_t))];
    struct cmsghdr align;
  } controls[CNETWORK_SLOTS];
  if (slots > CNETWORK_SLOTS) slots = CNETWORK_SLOTS;
  memset(messages, 0, sizeof messages[0] * (size_t)slots);
  for (int i = 0; i < slots; i++) {
    parts[i].iov_base = buffer + (size_t)i * (size_t)stride;
    parts[i].iov_len = (size_t)stride;
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = &sources[i];
    messages[i].msg_hdr.msg_namelen = sizeof sources[i];
    messages[i].msg_hdr.msg_control = controls[i].octets;
    messages[i].msg_hdr.msg_controllen = sizeof controls[i].octets;
  }
  int count = recvmmsg(socket, messages, (unsigned)slots, waits ? MSG_WAITFORONE : MSG_DONTWAIT, 0);
  for (int i = 0; i < count; i++) {
    datagrams[i].length = messages[i].msg_len;
    datagrams[i].truncated = (messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
    memset(datagrams[i].address, 0, sizeof datagrams[i].address);
    if (sources[i].sin6_family == AF_INET6) {
      datagrams[i].family = 6;
      datagrams[i].port = ntohs(sources[i].sin6_port);
      memcpy(datagrams[i].address, &sources[i].sin6_addr, 16);
    } else {
      const struct sockaddr_in *source = (const struct sockaddr_in *)&sources[i];
      datagrams[i].family = 4;
      datagrams[i].port = ntohs(source->sin_port);
      memcpy(datagrams[i].address, &source->sin_addr, 4);
    }
  }
  if (count > 0) {
    struct msghdr *last = &messages[count - 1].msg_hdr;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(last); c; c = CMSG_NXTHDR(last, c))
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
        memcpy(overflow, CMSG_DATA(c), sizeof *overflow);
  }
  return count;
}

int cnetwork_send(int socket, const uint8_t *buffer, const uint32_t *lengths, int count,
                  int stride) {
  struct mmsghdr messages[CNETWORK_SLOTS];
  struct iovec parts[CNETWORK_SLOTS];
  if (count > CNETWORK_SLOTS) count = CNETWORK_SLOTS;
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < count; i++) {
    parts[i].iov_base = (void *)(buffer + (size_t)i * (size_t)stride);
    parts[i].iov_len = lengths[i];
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  return sendmmsg(socket, messages, (unsigned)count, 0);
}

int cnetwork_steer_by_source(int socket, uint32_t sockets) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)SKF_NET_OFF),
      BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + 20),
      BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + 12),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, sockets),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
  struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
  return setsockopt(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program);
}

int cnetwork_report_overflow(int socket) {
  int on = 1;
  return setsockopt(socket, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
}
