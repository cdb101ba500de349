/* SPDX-License-Identifier: Apache-2.0 */
/* Workers and gates: their start, their end, and the table that they have. */
#ifndef SEKISHO_SUPERVISE_WORKERS_H
#define SEKISHO_SUPERVISE_WORKERS_H

#include "appliance/role/partition.h"
#include "appliance/supervise/once.h"
#include "appliance/supervise/pair.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/table_merge.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct ir;
struct msg;
struct slot;
struct supervisor;

struct workforce {
	struct partition partition;
	struct pair pairs[PAIR_MAX];
	struct once once;
	uint32_t cores; /* cores that workers may use, read at the start */
	/* asked for by the generation or the option, whichever is more; or chosen by the box */
	uint32_t asked[LANE_KINDS];
	/* pairs that the slots are divided among; 0 = no lane of this kind yet */
	uint32_t running[LANE_KINDS];
	uint64_t lanes; /* bit n: queue sockets of lane n exist */
	/* sealed memfd with the image that every worker should have; -1 = none */
	int table_fd;
	struct table table;
	uint8_t digest[32]; /* of that image */
};

/* Prepares sockets and pairs for the lanes of this policy. The empty policy inspects nothing. */
int workers_prepare(struct supervisor *s, const struct ir *ir, struct err *e);
bool worker_start(struct supervisor *s, uint32_t w);
bool gate_start(struct supervisor *s, uint32_t w);
void worker_died(struct workforce *workforce, uint32_t w);

void gate_died(struct supervisor *s, uint32_t w);
/* A gate says that its worker hangs. */
bool worker_hung(struct supervisor *s, struct slot *gate, struct msg *m);
void worker_acked(struct workforce *workforce, uint32_t w, const uint8_t digest[32]);
/* Takes over the table and sends it to all workers. The former table goes to *ret_before; if
 * ret_before is NULL, it is freed. */
int table_set(struct supervisor *s, struct table *t, struct table *ret_before, struct err *e);
/* ends workers that refused the table; their successors get it before any packet */
void workers_end_refusing(struct supervisor *s);
/* The state of the table in all workers together. DISPUTED: some workers accepted it and some
 * refused it, although all decode it in the same way. */
enum table_state { TABLE_WAIT, TABLE_EQUAL, TABLE_DISPUTED, TABLE_REFUSED } table_state(const struct supervisor *s);

#endif
