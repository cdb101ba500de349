/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One whole PDU judged: the same for all protocols, however many there are. The enforcer takes it apart, the evaluator rules on its
 * operations, and the enforcer remembers what was asked and says whether an answer fits. Pure.
 */
#ifndef SEKISHO_DPI_JUDGE_H
#define SEKISHO_DPI_JUDGE_H

#include "appliance/wire/evaluate.h"
#include "dpi/protocol.h"

#define GROUP_MAX 4u /* operations of one group that are judged again one by one */

/* Where a PDU is taken apart; nothing in it is kept from one to the next. */
struct judge_room {
	struct parsed parsed; /* the PDU that was judged last */
	struct operation operations[OPERATIONS_MAX];
	uint8_t joined[ENFORCER_PDU_MAX];
};

/* Fills all of *ret but dir, offset and length, which it may read. `parsed` borrows `room` and, until then, the PDU. */
void judge_pdu(const struct enforcer *e, void *state, enum direction dir, struct bytes pdu,
	       const struct command_table *t, const struct command_permit *p, struct judge_room *room,
	       struct parsed *parsed, struct pdu *ret);
/*
 * A request that makes sense and passes (`n` > 0 operations), by the rows of the permit's shadows: true when these alone would refuse it,
 * and then *ret says what and names the shadow.
 */
bool judge_shadows(const struct enforcer *e, const struct operation *o, uint32_t n, const struct command_table *t,
		   const struct command_permit *p, struct pdu *ret);
/* A group of operations that went by, by the rows of another table or permit. Fills *ret. */
void judge_kept(const struct enforcer *e, const struct operation *o, uint32_t n, enum reason wrong,
		const struct command_table *t, const struct command_permit *p, struct pdu *ret);

/* ---- for enforcers: who decided, and what about ---- */

/* LENIENT_*: what the services that apply here forgive; as with commands, one that does is enough. */
unsigned judge_leniency(enum protocol protocol, const struct command_table *t, const struct command_permit *p);

/* The conduit, its line, and the row that allowed it. */
void pdu_name_ruling(struct pdu *ret, const struct ruling *ruling);
/* Of the operation that the ruling is about: whom it is for, its code and its addresses. */
void pdu_name_operation(struct pdu *ret, const struct operation *o, uint32_t n, const struct ruling *ruling);

#endif
