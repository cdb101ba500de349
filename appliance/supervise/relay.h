/* SPDX-License-Identifier: Apache-2.0 */
/* Relays questions and answers between control and other processes unchanged, and tells control the
 * state of the box. */
#ifndef SEKISHO_SUPERVISE_RELAY_H
#define SEKISHO_SUPERVISE_RELAY_H

#include <stdbool.h>
#include <stdint.h>

struct msg;
struct slot;
struct supervisor;

/* The state that control has been told. */
struct relay {
	bool told;
	struct msg_standing standing;
	const void *policy; /* only compared */
	uint64_t number;
	/* 1 + `changes` of the store when control was told the history; 0 = it was not told */
	uint32_t past;
};

/* Relays a question of control to the role that its id names. False: the question is
 * not allowed. */
bool relay_out(struct supervisor *s, struct msg *m);
/* Tells control that nobody will answer this question. */
void relay_undone(struct supervisor *s, uint32_t id);
/* Relays the answer of a role to control. False: it is not the answer to a question of control. */
bool relay_back(struct supervisor *s, struct slot *sl, struct msg *m);
/* The slot's process has ended, and will not answer its questions. */
void relay_gone(struct supervisor *s, struct slot *sl);
/* The role has a new process. If it is control, tells it the state, and ends the web side, whose
 * channel to the former control is closed. */
void relay_begin(struct supervisor *s, struct slot *sl);
/* Tells control everything that has changed. To be called once a turn, and before an answer about
 * the box. */
void relay_tell(struct supervisor *s);

#endif
