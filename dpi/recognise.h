/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recognisers: what the first bytes of a direction are.
 */
#ifndef SEKISHO_DPI_RECOGNISE_H
#define SEKISHO_DPI_RECOGNISE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "dpi/protocol.h"

/*
 * The result for the first bytes of a direction. It does not depend on segment boundaries: a result
 * other than RECOGNISE_MORE does not change when more bytes come. At most RECOGNISE_MAX bytes
 * are read.
 */
enum recognition {
	RECOGNISED, /* these bytes are this protocol */
	/* the bytes fit this protocol, but others as well: the other direction must fit, too */
	RECOGNISE_HALF,
	/* as RECOGNISE_HALF, for a client that only answers: the server must have sent
	 * bytes first */
	RECOGNISE_IF_GREETED,
	RECOGNISE_MORE, /* consistent so far, too few bytes */
	RECOGNISE_NOT,	/* not this protocol */
};

#define RECOGNISE_MAX 64

/* `head`: the bytes of this direction of a TCP session from its start. Protocols without a
 * recogniser answer RECOGNISE_NOT. */
enum recognition recognise(enum protocol p, enum direction dir, struct bytes head);
/* Whether a whole datagram has the form of this protocol. False for protocols without a recogniser
 * for datagrams. */
bool recognise_datagram(enum protocol p, enum direction dir, struct bytes payload);

enum head_step {
	HEAD_GOES_ON, /* the header is not complete yet */
	HEAD_WHOLE,   /* the header is complete, or the protocol has none */
	/* the header has bytes that normal clients never send, and that servers read differently;
	 * this result is final */
	HEAD_AMBIGUOUS,
};

#define HEAD_MAX 65536u /* no server accepts a longer header */

/* The reader of the header of a direction's first message; all zeros at the beginning. */
struct head {
	uint32_t n;  /* bytes so far */
	uint32_t at; /* how many characters of the searched text have matched */
	uint8_t last;
	bool on_line, lines, whole;
};

/*
 * Reads on in the first header of a direction of protocol `p`, for protocols that RECOGNISE_MAX
 * bytes do not decide. HTTP client: the first line ends with a version, and an empty line ends the
 * header. A NUL, a line feed without a carriage return or the reverse, and more than HEAD_MAX bytes
 * are ambiguous. SSH server: lines of text, up to the line with its version.
 */
enum head_step recognise_head(enum protocol p, enum direction dir, struct head *h, struct bytes more);
/* The protocol that our own recognisers find, PROTO_NONE when none matches; for events
 * ("speaks ssh"). */
enum protocol recognise_any(enum direction dir, struct bytes head);

#endif
