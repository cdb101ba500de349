/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the command allowed? The bytes of a direction, in order, are cut into PDUs by the protocol's enforcer and each whole
 * one is judged before its last byte passes. What is left of a segment is the beginning of the next PDU: it passes (its
 * receiver can do nothing with it) and stays in the stream's kept bytes until the rest is here.
 */
#ifndef SEKISHO_DPI_INSPECT_COMMAND_H
#define SEKISHO_DPI_INSPECT_COMMAND_H

#include "dpi/inspect/crossing.h"
#include "dpi/inspect/deeds.h"

#define BEGIN_MIN 6u /* bytes by which the beginning of a PDU is told from its middle */

struct judged {
	bool denied; /* a PDU is not allowed, or the bytes are no PDU */
	bool opaque; /* the bytes cannot be cut into PDUs any further */
	bool later;  /* a PDU may pass when others have been answered */
	enum reason reason;
	size_t unjudged; /* bytes at the end that are no whole PDU yet */
	enum protocol speaks;
};

struct commands *commands_new(uint32_t flows); /* NULL when memory is out */
void commands_free(struct commands *all);

/* Gives the flow an enforcer; false when there is no state left. */
bool command_follow(struct crossing *x, enum protocol p);
void command_release(struct inspector *i, struct flow *f);     /* its counts are written */
const struct enforcer *command_enforcer(const struct flow *f); /* NULL: it has none */

/* A datagram of a flow with an enforcer: all of it or nothing. As command_judge; `opaque`: it is not whole PDUs. */
struct judged command_judge_datagram(struct crossing *x, struct bytes payload);
/* Whether a datagram is whole PDUs, and not too many, for who knows nothing of its flow. */
bool command_is_datagram(const struct enforcer *e, enum direction dir, uint16_t port, struct bytes payload);
/* New bytes of a flow with an enforcer. What is allowed of them counts when command_settle says that they pass. */
struct judged command_judge(struct crossing *x, struct bytes fresh);
void command_settle(struct crossing *x, bool passed);
/* A PDU, or a part of one, that was judged: records it and puts it into `j`. */
void command_tell(struct crossing *x, const struct pdu *u, struct judged *j);

/* What its enforcer knows of the session; zeroed when it has none, or for NULL. */
const void *command_known(const struct flow *f);
/* Whether these bytes are exactly whole PDUs of this direction, for who knows this much. */
bool command_is_whole(const struct enforcer *e, const void *known, enum direction dir, struct bytes b);
/*
 * Whether they start with a whole PDU, and go on with whole ones and perhaps the beginning of another. `turned`: the other end
 * spoke before, so that they most likely start with a PDU; then what may be its beginning will do.
 */
bool command_starts(const struct flow *f, enum direction dir, struct bytes b, bool turned);
/* Bytes of the flow went by unseen, or will never be seen. `unread`: client's bytes that were seen and not understood. */
void command_note_missed(const struct flow *f, bool unread);
/* Its session is met half-way: nothing is known of what it said. */
void command_forget(const struct flow *f);
/* What it asked for so far, under other rows; returns the number of requests that are not remembered one by one. */
uint64_t command_judge_deeds(const struct flow *f, const struct command_table *t, const struct command_permit *permit,
			     void (*each)(void *ctx, const struct deed *d, const struct pdu *refused), void *ctx);

#endif
