/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by kernel/batch.c, which builds messages, and kernel/send.c, which sends them; included by
 * these two only. */
#ifndef SEKISHO_KERNEL_BATCH_PRIVATE_H
#define SEKISHO_KERNEL_BATCH_PRIVATE_H

#include "appliance/kernel/batch.h"

struct nlmsghdr;

struct note {
	uint32_t line;
	uint16_t type;	 /* NFT_MSG_* */
	uint16_t object; /* set or chain */
};

struct batch {
	uint8_t *p;
	size_t len, size;
	struct note *notes; /* by sequence number, from 0 */
	uint32_t n, room;
	uint32_t generation_id;
	bool failed; /* memory was out */
};

/* Room for one more message and its note; NULL when memory is out. */
void *batch_slot(struct batch *b, uint16_t type, uint32_t object, uint32_t line);
/* The message in the slot is complete. */
void batch_done(struct batch *b, const struct nlmsghdr *h);
size_t batch_aligned(size_t len);

/* A message about any table. Only the probe, which is never committed, uses another table than
 * "sekisho". */
void batch_any_table(struct batch *b, uint16_t type, uint16_t flags, const char *name, bool owned);
void batch_any_chain(struct batch *b, uint16_t type, uint16_t flags, const char *in, const char *name, uint32_t number);

#endif
