/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of gate and worker, the tables they decide by, and what they are told of sessions. */
#ifndef SEKISHO_SUPERVISE_WORKERS_H
#define SEKISHO_SUPERVISE_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/sentence.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/roles.h"
#include "appliance/wire/msg.h"

struct supervisor; /* supervise.h */

/* workers.c */
/* Sockets, pairs and hand-over for what this policy inspects. Of the empty one nothing is. */
int workers_prepare(struct supervisor *s, const struct ir *ir, struct err *e);
/* Says when others run than are asked for. False: there is nothing to say. */
bool workers_notice(const struct supervisor *s, struct sentence *ret);
bool worker_start(struct supervisor *s, uint32_t w);
bool gate_start(struct supervisor *s, uint32_t w);
void worker_died(struct supervisor *s, uint32_t w);
void gate_died(struct supervisor *s, uint32_t w);
void worker_hung(struct supervisor *s, uint32_t w, const struct msg_hung *who);
void worker_acked(struct supervisor *s, uint32_t w, const uint8_t digest[32]);
/* Takes `image` (malloc'd) and sends it to all workers. */
int table_set(struct supervisor *s, uint8_t *image, size_t n, const struct policy *p, bool in_force, struct err *e);
void workers_end_refusing(
	struct supervisor *s); /* those that refused it; their successors are given it before any packet */
/* Of all workers together. DISPUTED: some took it and some refused it, though all decode it in the same way. */
enum table_state { TABLE_WAIT, TABLE_EQUAL, TABLE_DISPUTED, TABLE_REFUSED } table_state(const struct supervisor *s);

/* impact.c: to the workers */
void cuts_tell(struct supervisor *s, const struct told *t);
void cuts_hand_on(struct supervisor *s, int fd); /* a list as wire/cuts.h has it; the descriptor stays the caller's */

/* in_force.c */
void pairs_tell(struct supervisor *s, struct slot *gate);

#endif
