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
#include "dpi/inspect/command.h"
#include "dpi/inspect/crossing.h"
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

/* A PDU that was judged and says something of it. One that uses what was opened is decided here. True: its flow is an opener. */
bool bond_note(struct crossing *x, const struct parsed *p, struct pdu *u);
/*
 * What goes by over `f`, a flow of datagrams, under other rows. That they are refused is nothing that `f` asked for: the request was said
 * in another session, which may be over, or before anybody looked.
 */
void bond_judge_uses(struct inspector *i, const struct flow *f, const struct command_table *t,
		     const struct command_permit *permit,
		     void (*each)(void *ctx, const struct deed *d, const struct pdu *refused), void *ctx);
/* An opener's flow is over. */
void bond_end(struct inspector *i, const struct flow *f);

#endif
