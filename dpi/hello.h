/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two hellos of a TLS session say in clear: the highest version and the name that the client asks for, and the version and suite that
 * the server chose (RFC 8446, 4.1; RFC 5246, 7.4.1; RFC 6066, 3).
 *
 * A reader for each direction takes the bytes of its stream in order, in whatever pieces they come: TCP segments and TLS records cut where they like.
 * It keeps no bytes but the numbers it is in the middle of and the name, so its size is that of the structure, and each byte is looked at
 * once. It decides nothing: whoever cannot be read is HELLO_BAD, and the session is none the worse for it.
 */
#ifndef SEKISHO_DPI_HELLO_H
#define SEKISHO_DPI_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "dpi/protocol.h"

#define HELLO_NAME 128u		   /* bytes of a server name that are kept, NUL included; a longer one is left out */
#define HELLO_BYTES_MAX (1u << 15) /* of one direction: beyond them nothing is looked for any more */

enum hello_state {
	HELLO_GOES_ON, /* not all of it was here yet */
	HELLO_READ,    /* this end has said its hello */
	HELLO_ALERT,   /* the server declined: there is no session */
	HELLO_BAD,     /* not what a hello is, or too long */
};

/* One direction. All zeros: nothing has come. */
struct hello_side {
	uint8_t state; /* enum hello_state */
	uint8_t step;  /* hello.c: which field comes next */
	uint8_t got;   /* bytes of a number that spans pieces, which is */
	uint32_t number;
	uint32_t bytes;	     /* so far */
	uint32_t skip;	     /* bytes of the field to be left out */
	uint32_t record;     /* bytes left in the record, ... */
	uint32_t message;    /* in the hello, ... */
	uint32_t extensions; /* in its extensions, ... */
	uint32_t extension;  /* and in the one that is read */
	uint16_t kind;	     /* of that one */
	bool inside;	     /* the head of the hello was read */
	bool begun;	     /* something of it came */
	bool alert, warned;  /* this record is an alert, and its first byte was read */
	uint8_t heads;	     /* bytes of the head of the next record, which are */
	uint8_t head[5];
};

struct hello {
	struct hello_side side[2]; /* by enum direction */
	uint16_t offered;	   /* the highest version that the client takes; 0 = not known */
	uint16_t version, suite;   /* what the server chose, once its side is HELLO_READ */
	bool asked;		   /* its extension of server names came: there may be one (RFC 8446, 4.2) */
	uint8_t name_len;
	char name
		[HELLO_NAME]; /* the server name that the client asks for: letters, digits, '.', '-', '_' alone; "" = none */
};

/* The next bytes of one direction. Returns what is known of it now. */
enum hello_state hello_take(struct hello *h, enum direction dir, struct bytes b);

#endif
