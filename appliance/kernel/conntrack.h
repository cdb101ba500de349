/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's live sessions, by raw libmnl: a dump of connection tracking in this namespace. The only thing that it changes
 * is a session's mark: a cut is made by the rules, and heard by the peers. Runs in enforce.
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
	bool ending;			/* TCP that is closed already (TIME_WAIT, CLOSE) */
	bool assured;			/* both sides have spoken; of TCP: it was opened */
	uint32_t mark;			/* appliance/wire/mark.h */
	uint32_t id;			/* the kernel's own; another session of the same ends has another */
	uint64_t packets, packets_back; /* from the client and from the server; 0 when the kernel does not count */
};

typedef int session_each(const struct session *s, void *ctx); /* 0 = go on, negative errno ends it */

/* Every tracked session of both families that carries a permit. 0 or negative errno. A repeated dump may show a session
 * twice: `restart` (may be NULL) is called before every start. */
int conntrack_dump(struct netlink *n, session_each *each, void (*restart)(void *ctx), void *ctx, struct err *e);
/* Another mark for a session that was dumped. -ENOENT when it is gone. */
int conntrack_mark(struct netlink *n, const struct session *s, uint32_t mark, struct err *e);

/* How many sessions the kernel tracks here, and how many it would. */
int conntrack_count(struct netlink *n, uint32_t *ret, uint32_t *ret_most, struct err *e);

#endif
