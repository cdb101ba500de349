/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one flow opened for others of its pair of hosts: a CIP connection is opened over TCP, and its data go over UDP. A datagram of
 * such a flow passes only while it names a connection that was opened between these two hosts and is used in this direction.
 *
 * The flow that opens and those that use are judged by enforcers, which only say what they read (struct bond); who may is decided
 * here and by the evaluator. The request that opened is kept as the operations that it asked for, and judged again for every
 * datagram by the rows that hold then, so that a narrowed policy ends what it no longer allows and nothing else.
 *
 * A fixed number of places, divided among the shares as all that is scarce; a share makes room within itself, by what was not used for
 * the longest time, and no pair of hosts has more than COMPANIONS_PAIR. Pure but for its memory; the time is the caller's.
 */
#ifndef SEKISHO_DPI_INSPECT_COMPANION_H
#define SEKISHO_DPI_INSPECT_COMPANION_H

#include "appliance/base/addr.h"
#include "appliance/wire/operation.h"
#include "dpi/protocol.h"

#define COMPANIONS 1024u			 /* of a worker */
#define COMPANIONS_PAIR 64u			 /* of a pair of hosts in a protocol */
#define COMPANION_OPERATIONS 4u			 /* of the request that opened; one that asks for more opens nothing */
#define COMPANION_ASKED_NS (30u * 1000000000ull) /* how long the answer to such a request may take */
/* How long it may be used when the flow that opened it has ended, and it does not stay. */
#define COMPANION_LINGER_NS (30u * 1000000000ull)
#define COMPANION_SILENT_MAX_NS (600u * 1000000000ull) /* how long when nobody uses it, whatever was agreed */

struct companions;

/* What the request that opened a connection asked for, and how many datagrams have gone by it since. */
struct opened {
	struct operation operations[COMPANION_OPERATIONS];
	uint32_t n; /* of them */
	uint64_t passed;
};

/* The flow that opens and closes. */
struct opener {
	enum protocol protocol;
	struct addr client, server;
	uint32_t flow, n; /* of the flow table: place, and which connection on these ports */
	uint32_t share;
};

struct companions *companions_new(void); /* NULL when memory is out */
void companions_free(struct companions *all);
void companions_divide(struct companions *all, uint32_t used, bool whole); /* as flow_divide */

/* A request that is allowed and will open `key`; its operations are copied. */
void companions_ask(struct companions *all, const struct opener *by, uint64_t key, const struct operation *o,
		    uint32_t n, uint64_t now_ns);
/* Its answer says that it is open: datagrams that name id[dir] may go from dir's sender to the other end, with bytes[dir] at most. */
void companions_open(struct companions *all, const struct opener *by, const struct bond *b, uint64_t now_ns);
void companions_close(struct companions *all, const struct opener *by, uint64_t key);
/* The flow is over: what it opened may be used for some time yet, or goes on. */
void companions_orphan(struct companions *all, const struct opener *by, uint64_t now_ns);
/* What opened the connection of this datagram, borrowed until the next call; NULL when there is none. Who lets it pass counts it. */
struct opened *companions_use(struct companions *all, enum protocol p, const struct addr *from, const struct addr *to,
			      const struct bond *b, uint64_t now_ns);
/* Everything that is open between these two, whichever of them opened it. */
void companions_each(struct companions *all, enum protocol p, const struct addr *one, const struct addr *other,
		     uint64_t now_ns, void (*each)(void *ctx, const struct opened *o), void *ctx);

#endif
