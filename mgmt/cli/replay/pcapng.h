/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading pcapng: blocks of a file, several sections and interfaces in it, each with a link type, time unit and byte order
 * of its own (libpcap gives up when two of them differ). Hands out frames as they stand in the file and judges nothing.
 * Owns its buffer and its list of interfaces, not the file.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_PCAPNG_H
#define SEKISHO_MGMT_CLI_REPLAY_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "appliance/base/bytes.h"

#define PCAPNG_SECTION 0x0a0d0d0au /* type of the block that every file starts with, in either byte order */

struct pcapng;

struct pcapng_frame {
	uint16_t link; /* LINKTYPE_* of its interface */
	uint64_t wall_ns;
	struct bytes data; /* valid until the next call */
	bool cut;	   /* fewer bytes than were on the wire */
};

enum pcapng_step {
	PCAPNG_FRAME,
	PCAPNG_END,
	PCAPNG_CUT,  /* the file ends inside a block */
	PCAPNG_BAD,  /* a block that contradicts itself */
	PCAPNG_ROOM, /* no memory */
};

struct pcapng *pcapng_new(void); /* NULL when memory is out */
void pcapng_free(struct pcapng *n);
/* After anything but PCAPNG_FRAME nothing more can be read. */
enum pcapng_step pcapng_next(struct pcapng *n, FILE *from, struct pcapng_frame *ret);

#endif
