/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a datagram says of a lasting subscription (dpi/inspect/lasting.h). Protocols whose servers
 * send by themselves over UDP, long after they were asked, have a reader of such datagrams beside
 * their enforcer. Pure, as enforcers are.
 */
#ifndef SEKISHO_DPI_LASTING_H
#define SEKISHO_DPI_LASTING_H

#include "dpi/protocol.h"

enum lasting_kind {
	LASTING_NOTHING,
	LASTING_BEGINS, /* a request of the client */
	LASTING_ENDS,	/* the same; it need not be in force */
	LASTING_TELLS,	/* what the server sends by itself */
};

struct lasting {
	uint8_t kind;	 /* enum lasting_kind */
	uint32_t key[3]; /* which one: the same in the request and in what is sent for it */
	/* bits of what a request asks for, if several may ask for the same; the subscription lasts
	 * while any is left */
	uint32_t parts;
	uint32_t seconds; /* LASTING_BEGINS: how long it lasts; 0: without an end */
};

struct lasting_reader {
	/* Fills *ret, which is zeroed. */
	void (*read)(enum direction dir, struct bytes datagram, struct lasting *ret);
	/* A datagram of LASTING_TELLS will be judged: tells the enforcer's state whether it is
	 * subscribed to. NULL: in a live flow it may be sent anyway. */
	void (*recall)(void *state, struct bytes datagram, bool known);
};

extern const struct lasting_reader bacnet_lasting, dnp3_lasting;

const struct lasting_reader *lasting_reader_of(enum protocol p); /* NULL: the protocol has none */

#endif
