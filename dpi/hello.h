/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hello messages of a TLS session, as far as they are in clear: the highest version and the
 * name that the client asks for, and the version and suite that the server chose (RFC 8446, 4.1;
 * RFC 5246, 7.4.1; RFC 6066, 3).
 *
 * A reader for each direction takes the bytes of its stream in order. TCP segments and TLS records
 * may end at any byte. A reader keeps only the number that it is reading and the server name, so it
 * needs no memory besides this structure, and reads each byte once. It decides nothing: bytes that
 * cannot be read give HELLO_BAD, which does not affect the session.
 */
#ifndef SEKISHO_DPI_HELLO_H
#define SEKISHO_DPI_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "dpi/protocol.h"
#include "dpi/recognise.h"

/* bytes of a server name that are kept, NUL included; a longer one is left out */
#define HELLO_NAME 128u
/* bytes of one direction that are searched for a hello */
#define HELLO_BYTES_MAX (1u << 15)

enum hello_state {
	HELLO_GOES_ON, /* the hello is not complete yet */
	HELLO_READ,    /* the hello of this end is complete */
	HELLO_ALERT,   /* the server sent an alert: there will be no session */
	HELLO_BAD,     /* this is not a hello, or it is too long */
};

/* The reader of one direction. All zeros: nothing has been read. */
struct hello_side {
	uint8_t state; /* enum hello_state */
	uint8_t step;  /* hello.c: which field comes next */
	uint8_t got;   /* bytes that have been read of the number */
	uint32_t number;
	uint32_t bytes;	     /* bytes read so far */
	uint32_t skip;	     /* bytes of the present field that are still to be skipped */
	uint32_t record;     /* bytes left in the record */
	uint32_t message;    /* bytes left in the hello */
	uint32_t extensions; /* bytes left in the list of extensions */
	uint32_t extension;  /* bytes left in the present extension */
	uint16_t kind;	     /* type of the present extension */
	bool inside;	     /* the header of the hello was read */
	bool begun;	     /* at least one byte of the hello was read */
	bool alert, warned;  /* the record is an alert; its first byte was read */
	uint8_t heads;	     /* bytes that have been read of the header of the next record */
	uint8_t head[5];
};

struct hello {
	struct hello_side side[2]; /* by enum direction */
	uint16_t offered;	   /* the highest version that the client takes; 0 = not known */
	uint16_t version, suite;   /* what the server chose, once its side is HELLO_READ */
	/* the extension server_name was read; a second one is an error (RFC 8446, 4.2) */
	bool asked;
	uint8_t name_len;
	/* the server name that the client asks for: only letters, digits, '.', '-' and '_'; ""
	 * = none */
	char name[HELLO_NAME];
};

/* Reads the next bytes of one direction, and returns its state. */
enum hello_state hello_take(struct hello *h, enum direction dir, struct bytes b);

#endif
