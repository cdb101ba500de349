/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evaluator: whether the rows of a permit allow operations. It is the only one: workers,
 * replay, and code that judges past requests again call it. Tests compare it with what proofs and
 * lists say of a row. It allocates nothing, and its time is bounded by rows and values.
 *
 * Operations of one group are allowed when one row allows all of them: rows are never added up, so
 * that "read here" and "write there" cannot become "write here". A PDU is allowed when each of its
 * groups is. A refusal reports the row that came furthest, since that is the row the operator had
 * in mind.
 */
#ifndef SEKISHO_WIRE_EVALUATE_H
#define SEKISHO_WIRE_EVALUATE_H

#include "appliance/wire/commands.h"
#include "appliance/wire/limit.h"
#include "appliance/wire/operation.h"
#include "appliance/wire/reason.h"

/* Why a row refuses an operation, in the order of the checks. */
enum refusal { REFUSED_SERVICE, REFUSED_TARGET, REFUSED_PLACE, REFUSED_VALUE, REFUSED_NOT };

#define NO_CHOICE 0xffffu

/* The rows of a permit that allow commands of one protocol. */
struct allowance {
	const struct command_table *table;
	const struct command_permit *permit;
	const struct vocabulary *v; /* of the protocol */
};

struct ruling {
	enum refusal refusal; /* REFUSED_NOT, or the check at which the best row refused */
	enum reason reason;   /* `refusal` as a reason of the protocol; R_ALLOWED when allowed */
	/* number of the row that decided, counted through all grants that the permit has of the
	 * protocol; NO_CHOICE: none */
	uint16_t choice;
	const struct command_grant *grant; /* the grant of that row; NULL: none */
	/* the row that decided; NULL also when the grant is of the whole protocol */
	const struct command_row *row;
	uint8_t target;	    /* REFUSED_TARGET: index of the target */
	uint32_t operation; /* index of the refused operation */
};

/* Judges `n` operations, at least one. */
void evaluate(const struct allowance *by, const struct operation *o, uint32_t n, struct ruling *ret);
/* Judges by the permit's shadow grants (struct command_grant), which decide nothing. False: the
 * permit has none of this protocol. */
bool evaluate_shadows(const struct allowance *by, const struct operation *o, uint32_t n, struct ruling *ret);
/* Judges an operation of which only service and targets are known, from its answer. It is allowed
 * when some row has both. */
void evaluate_unseen(const struct allowance *by, const struct operation *o, struct ruling *ret);
/* For refused operations: which number was outside the limits, and what the deciding row would
 * have allowed. */
void evaluate_limit(const struct allowance *by, const struct operation *o, const struct ruling *ruling,
		    struct limit *ret);

/* Whether some grant is of the whole protocol. Then a PDU that is misread does no harm. */
bool evaluate_allows_all(const struct allowance *by);
/* Sets only the grant, NULL if there is none, and, unless it grants the whole protocol, the row
 * that a choice stands for. */
void evaluate_choice(const struct allowance *by, uint16_t choice, struct ruling *ret);

/* Judges by one row only. *ret_operation and *ret_target say what it refused. */
enum refusal evaluate_row(const struct command_table *t, const struct command_row *row, const struct operation *o,
			  uint32_t n, uint32_t *ret_operation, uint8_t *ret_target);
/*
 * Whether the row allows some operation of a function with a code in `codes` and one of these
 * classes. Codes without a name count as all classes, because nobody knows what they do. *ret is
 * the lowest such code. `row` may be of a checked policy or of a table.
 */
bool evaluate_passes(const struct command_table *t, const struct command_row *row, const struct vocabulary *v,
		     struct number_range codes, unsigned classes, uint32_t *ret);
/* For a `code` that passes: the last of the consecutive codes from `code` on that the row names and
 * that belong to the same function or, if `code` has no name, have no name either. */
uint32_t evaluate_passes_to(const struct command_table *t, const struct command_row *row, const struct vocabulary *v,
			    uint32_t code);

#endif
