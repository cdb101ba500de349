/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inspects commands. The protocol's enforcer cuts the bytes of a direction, in order, into PDUs.
 * Each whole PDU is judged before its last byte passes. Bytes at the end of a segment that only
 * begin a PDU pass, since the receiver cannot act on them, and are kept in the stream until the
 * rest of the PDU is there.
 */
#ifndef SEKISHO_DPI_INSPECT_COMMAND_H
#define SEKISHO_DPI_INSPECT_COMMAND_H

#include "dpi/inspect/crossing.h"
#include "dpi/inspect/deeds.h"

/* bytes that are needed to distinguish the beginning of a PDU from its middle */
#define BEGIN_MIN 6u

struct judged {
	bool denied; /* a PDU is not allowed, or the bytes are no PDU */
	bool opaque; /* the bytes cannot be cut into PDUs any further */
	bool later;  /* a PDU has to wait until earlier requests have been answered */
	enum reason reason;
	size_t unjudged; /* bytes at the end that only begin a PDU */
	enum protocol speaks;
};

struct commands *commands_new(uint32_t flows); /* NULL when memory is out */
void commands_free(struct commands *all);

/* Gives the flow an enforcer. False when all states are in use. */
bool command_follow(struct crossing *x, enum protocol p);
/* takes the enforcer away; its counts are written */
void command_release(struct inspector *i, struct flow *f);
const struct enforcer *command_enforcer(const struct flow *f); /* NULL: the flow has none */

/* As command_judge, for a datagram, which is allowed as a whole or not at all. `opaque`: it does
 * not consist of whole PDUs. */
struct judged command_judge_datagram(struct crossing *x, struct bytes payload);
/*
 * Whether the flow `f` would allow this datagram under the permit; nothing is recorded or kept.
 * f NULL: a flow of this protocol that begins at this server's port.
 */
bool command_would_allow(const struct crossing *x, const struct flow *f, const struct enforcer *e,
			 const struct command_permit *permit, enum direction dir);
/* Whether a datagram consists of whole PDUs, and not too many, without any knowledge of
 * its flow. */
bool command_is_datagram(const struct enforcer *e, enum direction dir, uint16_t port, struct bytes payload);
/* Judges new bytes of a flow with an enforcer. Allowed operations are counted only when
 * command_settle reports that the bytes pass. */
struct judged command_judge(struct crossing *x, struct bytes fresh);
void command_settle(struct crossing *x, bool passed);
/* Records a judged PDU, or a judged part of one, and enters it in `j`. */
void command_tell(struct crossing *x, const struct pdu *u, struct judged *j);

/* The enforcer's state of the session; all zeros when `f` is NULL or has no enforcer. */
const void *command_known(const struct flow *f);
/* Whether these bytes consist of whole PDUs of this direction, given the enforcer's
 * state `known`. */
bool command_is_whole(const struct enforcer *e, const void *known, enum direction dir, struct bytes b);
/*
 * Whether the bytes consist of one or more whole PDUs, and perhaps the beginning of another.
 * `turned`: the other end sent data before, so the bytes most likely start with a PDU. Then the
 * beginning of one PDU is enough.
 */
bool command_starts(const struct flow *f, enum direction dir, struct bytes b, bool turned);
/* Notes that bytes of the flow passed unseen or are missing for good. `unread`: these are bytes of
 * the client that were seen but could not be read. */
void command_note_missed(const struct flow *f, bool unread);
/* Forgets the enforcer's state, because the session is met half-way. */
void command_forget(const struct flow *f);
/* Judges the requests of the flow so far by other rows. Returns the number of requests that are not
 * remembered one by one. */
uint64_t command_judge_deeds(const struct flow *f, const struct command_table *t, const struct command_permit *permit,
			     void (*each)(void *ctx, const struct deed *d, const struct pdu *refused), void *ctx);

#endif
