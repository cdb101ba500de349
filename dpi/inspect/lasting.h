/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lasting subscriptions over UDP: a client asked for them, and its server then sends by itself, for
 * hours and from any port, also when flow and session are forgotten. Enforcers read what a datagram
 * says of them (struct lasting); this module remembers who asked for what, and until when.
 *
 * A subscription is known by a keyed digest of its pair of hosts, protocol, the client's port and
 * its own numbers. The table has a fixed size, and one pair of hosts can use a quarter of it; where
 * there is no room, what ends next is forgotten. It outlives the worker, as counts do
 * (inspector_keep_counts). Whatever bytes a successor finds there, they only let messages of
 * subscriptions pass, only where rows allow the subscription now, and no longer than a day.
 */
#ifndef SEKISHO_DPI_INSPECT_LASTING_H
#define SEKISHO_DPI_INSPECT_LASTING_H

#include "appliance/wire/lasting.h"
#include "dpi/inspect/crossing.h"

#define LASTING_MAX_S 86400u /* longer ones, and those without an end, last so long */

/* Bytes of the table. */
#define LASTING_BYTES 147472u

/* The place of the table: zeroed, or what a former worker left there. In count.c. */
uint8_t *counts_lasting(const struct counts *all);

/* Whether the datagram opens a session of the kernel that nothing but a subscription allows. */
static inline bool crossing_is_notice(const struct crossing *x)
{
	return (x->p->mark & (MARK_TWIN | MARK_OUTCOME_MASK)) == (MARK_TWIN | MARK_NOTICE) && x->d.l4proto == IP_UDP;
}

/* Notes what an allowed datagram of the client says. */
void lasting_note(const struct crossing *x, const struct enforcer *e, struct bytes pdu);
/* Before a datagram of the server is judged: tells the enforcer whether it was subscribed to. */
void lasting_recall(const struct crossing *x, const struct enforcer *e, enum direction dir, void *state,
		    struct bytes pdu);
/* Whether all of the datagram was subscribed to by its receiver. `follows`: its flow is known, and
 * what is no message of a subscription does not matter. */
bool lasting_covers(const struct crossing *x, bool follows);

#endif
