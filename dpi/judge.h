/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges one whole PDU, in the same way for all protocols. The enforcer takes it apart, the
 * evaluator rules on its operations, and the enforcer remembers what was asked and says whether an
 * answer fits. Pure.
 */
#ifndef SEKISHO_DPI_JUDGE_H
#define SEKISHO_DPI_JUDGE_H

#include "appliance/wire/evaluate.h"
#include "dpi/pending.h"
#include "dpi/protocol.h"

#define GROUP_MAX 4u /* largest group of which each operation is judged again by itself */

/* Memory for parsing a PDU. Nothing in it is kept from one PDU to the next. */
struct judge_room {
	struct parsed parsed; /* the PDU that was judged last */
	struct operation operations[OPERATIONS_MAX];
	uint8_t joined[ENFORCER_PDU_MAX];
};

/* Fills all of *ret except dir, offset and length, which the caller sets. room->parsed borrows the
 * PDU, and is valid until the next call. */
void judge_pdu(const struct enforcer *e, void *state, enum direction dir, struct bytes pdu,
	       const struct command_table *t, const struct command_permit *p, struct judge_room *room,
	       struct parsed *parsed, struct pdu *ret);
/*
 * Judges a well-formed request that passes (`n` > 0 operations) by the rows of the permit's
 * shadows. True when only these would refuse it; *ret then has the refusal and names the shadow.
 */
bool judge_shadows(const struct enforcer *e, const struct operation *o, uint32_t n, const struct command_table *t,
		   const struct command_permit *p, struct pdu *ret);
/* Judges a group of earlier operations by the rows of another table or permit. Fills *ret. */
void judge_kept(const struct enforcer *e, const struct operation *o, uint32_t n, enum reason wrong,
		const struct command_table *t, const struct command_permit *p, struct pdu *ret);

/* ---- for enforcers: who decided, and what about ---- */

/* LENIENT_*: the deviations that the services of this permit forgive. As with commands, it is
 * enough that one service forgives a deviation. */
unsigned judge_leniency(const struct allowance *by);
/* Whether a server may deviate in this way (one of LENIENT_*): a service says so, or the whole
 * protocol is allowed, so that there is nothing that a deviation could hide. */
bool judge_forgives(const struct allowance *by, unsigned deviation);

/* Sets the conduit, its line, and the row that allowed the PDU. */
void pdu_name_ruling(struct pdu *ret, const struct ruling *ruling);
/* The same for a choice that was made before (evaluate_choice). */
void pdu_name_choice(const struct allowance *by, uint16_t choice, struct pdu *ret);
/* Judges an answer like its request `of`: gives it the reason and the conduit of the request. */
void judge_answer(const struct allowance *by, const struct pending_entry *of, struct pdu *ret);
/* Sets the target, code and addresses of the operation that the ruling is about. */
void pdu_name_operation(struct pdu *ret, const struct operation *o, uint32_t n, const struct ruling *ruling);

#endif
