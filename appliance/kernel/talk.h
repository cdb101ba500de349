/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One NETLINK_NETFILTER socket with its requests, dumps and errors. Mistakes are easy here, so all
 * modules use this one: answers to earlier requests are skipped by their sequence number; a dump
 * that the kernel calls inconsistent gives -EINTR (start again); a receive queue that ran over
 * gives -ENOBUFS (start again); nothing waits longer than two seconds. Runs in enforce; uses
 * libmnl. The descriptor is borrowed, except after netlink_open_here.
 */
#ifndef SEKISHO_KERNEL_TALK_H
#define SEKISHO_KERNEL_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"

struct nlmsghdr;

#define NETLINK_RECEIVE (256u << 10) /* bytes of one receive */

/* How far a dump of the whole table has come, for the callback `between`. Parts are the lists of
 * tables, chains, rules and so on, and the elements of each set; entries are rules and elements. */
struct netlink_reading {
	/* number of the part that is being read, from 1 on, and of all parts; 0 = not known */
	uint32_t part, parts;
	uint64_t entries;
};

/*
 * Flags of a table. With the one for an owner (0x2), the kernel refuses changes by others while the
 * owner's socket is open; with TABLE_PERSISTS it keeps the table when that socket is closed. They
 * are only used together. Headers before Linux 6.9 lack TABLE_PERSISTS.
 */
#define TABLE_PERSISTS 0x4u
#define TABLE_OWNED (0x2u | TABLE_PERSISTS)

/* Whether this socket owns our table. If the table was first made without an owner, it gets none
 * later, not even when it is made again. */
enum netlink_owns { OWNS_UNASKED, OWNS_NOT, OWNS_TABLE };

struct netlink {
	int fd;
	uint32_t portid;	    /* port id of the socket, by which events name the sender */
	uint32_t seq;		    /* the sequence number used last */
	uint8_t *buffer;	    /* NETLINK_RECEIVE bytes, owned */
	enum netlink_owns owns;	    /* OWNS_UNASKED until kernel/deny_base.c has asked the kernel */
	void (*between)(void *ctx); /* called after each receive of a long answer; NULL = none */
	/* returns true when the rest of a dump is not needed; the dump then ends with -ECANCELED.
	 * NULL = never */
	bool (*stopped)(void *ctx);
	void *between_ctx; /* context of both callbacks */
	struct netlink_reading reading;
};

/* Sets buffers and options (extended errors without an echo, strict dumps), learns the port id, and
 * discards what another process left unread in the socket. 0 or negative errno. */
int netlink_open(struct netlink *n, int fd, struct err *e);
void netlink_close(struct netlink *n); /* frees the buffer; the descriptor stays open */
/* As netlink_open, with a new socket in the caller's namespace. After a failure nothing is left
 * open. */
int netlink_open_here(struct netlink *n, struct err *e);
void netlink_close_here(struct netlink *n);

/* 0 = go on, negative errno ends it */
typedef int netlink_each(const struct nlmsghdr *m, void *ctx);

/* A header in `buf` (at least 4096 bytes): message type with subsystem, flags beside
 * NLM_F_REQUEST, family. */
struct nlmsghdr *netlink_request(struct netlink *n, void *buf, uint16_t type, uint16_t flags, uint8_t family);
/* Sends a dump request and feeds every answer to `each`. 0, -EINTR or -ENOBUFS (repeat), or another
 * negative errno. */
int netlink_ask(struct netlink *n, const struct nlmsghdr *request, netlink_each *each, void *ctx, struct err *e);
/* A dump of nf_tables: `type` NFT_MSG_GET*; `table` and `set` NULL = of every one. Counts as a part
 * of n->reading. */
int netlink_list(struct netlink *n, uint16_t type, uint8_t family, const char *table, const char *set,
		 netlink_each *each, void *ctx, struct err *e);
/* The number of the kernel's ruleset generation: how many transactions there were. */
int netlink_generation(struct netlink *n, uint32_t *ret, struct err *e);
/* The name of a family: "inet" for NFPROTO_INET. */
const char *netlink_family(uint32_t family);

#endif
