/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's live sessions, by raw libmnl: a dump of connection tracking in this namespace. It
 * changes only the mark of a session, or makes the kernel forget one. It cuts no session: the rules
 * do that by the mark. Runs in enforce.
 */
#ifndef SEKISHO_KERNEL_CONNTRACK_H
#define SEKISHO_KERNEL_CONNTRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"
#include "appliance/kernel/talk.h"

struct session {
	struct addr client, server; /* original tuple */
	uint16_t client_port;	    /* ICMP: the identifier */
	uint16_t server_port;	    /* ICMP: type << 8 | code */
	uint8_t l4proto;
	bool ending;   /* TCP that is closed already (TIME_WAIT, CLOSE) */
	bool assured;  /* both sides have sent packets; TCP: it was opened */
	uint32_t mark; /* appliance/wire/mark.h */
	/* the kernel's session id; a later session of the same ends has another one */
	uint32_t id;
	/* from the client and from the server; 0 when the kernel does not count */
	uint64_t packets, packets_back;
};

/* 0 = go on, negative errno ends it */
typedef int session_each(const struct session *s, void *ctx);

/* Every tracked session of both families that carries a permit. 0 or negative errno. A repeated
 * dump may show a session twice: `restart` (may be NULL) is called before every start. */
int conntrack_dump(struct netlink *n, session_each *each, void (*restart)(void *ctx), void *ctx, struct err *e);
/* Gives a session that was dumped another mark. -ENOENT when it is gone. */
int conntrack_mark(struct netlink *n, const struct session *s, uint32_t mark, struct err *e);
/* The kernel forgets the session; its next packet begins a new one. -ENOENT when it is gone. */
int conntrack_delete(struct netlink *n, const struct session *s, struct err *e);

/* How many sessions the kernel tracks here, and the most that it can. */
int conntrack_count(struct netlink *n, uint32_t *ret, uint32_t *ret_most, struct err *e);

#endif
