/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's live sessions, by raw libmnl: a dump of connection tracking in this namespace. The
 * only changes that it can make are to set a session's mark, and to make the kernel forget a
 * session. It cuts no session: the rules do that by the mark. Runs in enforce; session_probe runs
 * in the gate.
 */
#ifndef SEKISHO_KERNEL_CONNTRACK_H
#define SEKISHO_KERNEL_CONNTRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"
#include "appliance/kernel/talk.h"

struct session {
	struct addr client, server; /* addresses of the original direction */
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

/*
 * Asks connection tracking whether there is a TCP session between two ends.
 *
 * The gate asks before it resets both ends of a segment that tracking called invalid. The segment
 * may only be outside of the windows of a live session, and must not end that session.
 * session_probe_open runs in the supervisor (inside the data namespace). The gate learns only
 * whether there is a session, and changes nothing.
 */

/* The socket, owned by the caller; negative errno. */
int session_probe_open(struct err *e);
/*
 * 1: there is a session, whichever end opened it; 0: there is none; negative errno: unknown. Ports
 * in host order; both addresses of one family.
 */
int session_probe(int fd, const struct addr *a, uint16_t a_port, const struct addr *b, uint16_t b_port);

#endif
