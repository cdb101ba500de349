/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One NETLINK_NETFILTER socket and its discipline: requests, dumps, errors. Everything that is easy to get wrong is
 * here once: answers of earlier requests are skipped by sequence number, a dump that the kernel calls inconsistent is
 * -EINTR (start again), a receive queue that ran over is -ENOBUFS (start again), nothing waits longer than two seconds.
 * Runs in enforce; by libmnl. The descriptor is borrowed, but for netlink_open_here.
 */
#ifndef SEKISHO_KERNEL_TALK_H
#define SEKISHO_KERNEL_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"

struct nlmsghdr;

#define NETLINK_RECEIVE (256u << 10) /* bytes of one receive */

/* How far a reading of everything is, for whoever is called between. Parts: lists of tables, chains, rules and the like, and each set's elements; entries: rules and elements. */
struct netlink_reading {
	uint32_t part, parts; /* the one that is read, from 1 on; 0 = not known */
	uint64_t entries;
};

struct netlink {
	int fd;
	uint32_t portid;	    /* of our socket, as events name the sender */
	uint32_t seq;		    /* last one used */
	uint8_t *buffer;	    /* NETLINK_RECEIVE bytes, owned */
	void (*between)(void *ctx); /* called after each receive of a long answer; NULL = nobody */
	bool (*stopped)(
		void *ctx); /* true: nobody needs the rest of a dump, which is -ECANCELED; NULL = everybody does */
	void *between_ctx;  /* of both */
	struct netlink_reading reading;
};

/* Sets buffers and options (extended errors without an echo, strict dumps), learns the port id. 0 or negative errno. */
int netlink_open(struct netlink *n, int fd, struct err *e);
void netlink_close(struct netlink *n); /* frees the buffer; the descriptor stays open */
/* The same by a socket of its own in the caller's namespace. On failure nothing is left open. */
int netlink_open_here(struct netlink *n, struct err *e);
void netlink_close_here(struct netlink *n);

typedef int netlink_each(const struct nlmsghdr *m, void *ctx); /* 0 = go on, negative errno ends it */

/* A header in `buf` (at least 4096 bytes): message type with subsystem, flags beside NLM_F_REQUEST, family. */
struct nlmsghdr *netlink_request(struct netlink *n, void *buf, uint16_t type, uint16_t flags, uint8_t family);
/* Sends a dump request and feeds every answer to `each`. 0, -EINTR or -ENOBUFS (repeat), or another negative errno. */
int netlink_ask(struct netlink *n, const struct nlmsghdr *request, netlink_each *each, void *ctx, struct err *e);

#endif
