/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that one flow opened for other flows of its pair of hosts: a CIP connection is opened
 * over TCP, and its data go over UDP. A datagram of such a flow passes only while it names a
 * connection that was opened between these two hosts and is used in this direction.
 *
 * Enforcers read the flow that opens a connection and the flows that use it. They only report what
 * they read (struct bond); this module and the evaluator decide. The operations of the opening
 * request are kept, and judged again for every datagram by the rows that are in force then. So a
 * narrower policy ends exactly the connections that it no longer allows.
 *
 * A fixed number of places is divided among the shares. A full share drops the connection that was
 * unused for the longest time. No pair of hosts has more than COMPANIONS_PAIR. Pure except for its
 * memory; the caller gives the time.
 */
#ifndef SEKISHO_DPI_INSPECT_COMPANION_H
#define SEKISHO_DPI_INSPECT_COMPANION_H

#include "appliance/base/addr.h"
#include "appliance/wire/operation.h"
#include "dpi/inspect/command.h"
#include "dpi/inspect/crossing.h"
#include "dpi/protocol.h"

#define COMPANIONS 1024u    /* for one worker */
#define COMPANIONS_PAIR 64u /* for one pair of hosts in one protocol */
/* operations of the opening request; a request with more opens nothing */
#define COMPANION_OPERATIONS 4u
/* the longest time between an opening request and its answer */
#define COMPANION_ASKED_NS (30u * 1000000000ull)
/* How long a connection that does not outlive its flow may still be used after that flow ended. */
#define COMPANION_LINGER_NS (30u * 1000000000ull)
/* the longest time for which a connection may be unused, whatever its ends agreed */
#define COMPANION_SILENT_MAX_NS (600u * 1000000000ull)

struct companions;

/* The operations of the request that opened a connection, and the number of datagrams that have
 * passed over that connection. */
struct opened {
	struct operation operations[COMPANION_OPERATIONS];
	uint32_t n; /* number of operations */
	uint64_t passed;
};

/* The flow that opens and closes connections. */
struct opener {
	enum protocol protocol;
	struct addr client, server;
	/* index in the flow table, and `n` of that flow (the number of the connection on
	 * its ports) */
	uint32_t flow, n;
	uint32_t share;
};

struct companions *companions_new(void); /* NULL when memory is out */
void companions_free(struct companions *all);
void companions_divide(struct companions *all, uint32_t used, bool whole); /* as flow_divide */

/* Takes a judged PDU with a bond. If the PDU uses a connection, this function decides on it. True:
 * the PDU's flow opens connections. */
bool bond_note(struct crossing *x, const struct parsed *p, struct pdu *u);
/*
 * Reports the requests because of which datagrams of flow `f` would be refused under other rows.
 * They opened connections in other sessions, which may have ended. Recent datagrams whose opening
 * request was not seen are reported, too.
 */
void bond_judge_uses(struct inspector *i, const struct flow *f, const struct command_table *t,
		     const struct command_permit *permit,
		     void (*each)(void *ctx, const struct deed *d, const struct pdu *refused), void *ctx);
/* The flow of an opener has ended. */
void bond_end(struct inspector *i, const struct flow *f);

#endif
