/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a flow with an enforcer, besides its stream. For command.c, companion.c, change.c
 * and fresh.c. */
#ifndef SEKISHO_DPI_INSPECT_STATE_H
#define SEKISHO_DPI_INSPECT_STATE_H

#include "appliance/wire/once.h"
#include "dpi/inspect/count.h"
#include "dpi/inspect/deeds.h"

/*
 * Nanoseconds after which the rest of a PDU counts as late: some receivers stop waiting for it by
 * then, even if a few bytes came in between. It is half of the shortest wait that is known of a
 * receiver, because one segment may take longer than another from here to the receiver.
 */
#define LATE_NS 50000000u

/* a request that has waited for one to two times this long will not be answered any more */
#define AGE_NS (5u * SECOND_NS)

struct command_state {
	_Alignas(16) uint8_t state[ENFORCER_STATE_MAX];
	const struct enforcer *enforcer;
	uint64_t segment_ns; /* when the client's last new bytes came */
	/* the client's last PDU that came in several segments: when the first one came, and the
	 * offset of the PDU */
	uint64_t begun_ns, begun;
	uint64_t aged_ns; /* when its waiting requests were last aged */
	/* bytes of `asked`; 0: that request is not the client's last PDU, was answered, or is
	 * too long */
	uint16_t n_asked;
	/* the permit by which `asked` was judged, and rules_turn of its table */
	uint32_t asked_permit, asked_turn;
	/* where sessions are lent: the last allowed request, where it was counted, and how its
	 * packet came */
	uint8_t asked[ONCE_REQUEST];
	struct count_again again;
	uint8_t asked_hops, asked_words;
	uint32_t life; /* offer.c: number of the session; 0: not offered yet */
	bool opens;    /* the flow opened a connection for another flow of its pair of hosts */
	struct tally tally;
	struct deeds deeds;   /* the allowed requests of the client since the flow began */
	struct deed unopened; /* observed datagrams of connections that were not opened here */
	uint64_t unopened_ns; /* when the last of these datagrams came */
};

#endif
