/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evaluator: whether the rows of a permit allow operations. It is the only one: workers, replay, and whoever judges again
 * what went by call it, and what proofs and lists say of a row is tested against it. It allocates nothing, and its time is bounded by
 * rows and values.
 *
 * Operations of one group are allowed when one row allows all of them: rows are never added up, so that "read here" and "write
 * there" cannot become "write here". A PDU is allowed when each of its groups is. A refusal reports the row that came
 * furthest, since that is the row the operator had in mind.
 */
#ifndef SEKISHO_WIRE_EVALUATE_H
#define SEKISHO_WIRE_EVALUATE_H

#include "appliance/wire/commands.h"
#include "appliance/wire/limit.h"
#include "appliance/wire/operation.h"
#include "appliance/wire/reason.h"

/* What a row may refuse an operation for, in the order in which it is asked. */
enum refusal { REFUSED_SERVICE, REFUSED_TARGET, REFUSED_PLACE, REFUSED_VALUE, REFUSED_NOT };

#define NO_CHOICE 0xffffu

struct ruling {
	enum refusal refusal; /* REFUSED_NOT, or how far the best row came */
	enum reason reason;   /* the same in the protocol's words; R_ALLOWED */
	uint16_t choice;      /* the row that decided, counted over the permit's grants of the protocol; NO_CHOICE */
	const struct command_grant *grant; /* the same; NULL */
	const struct command_row *row;	   /* NULL as well where the grant is of the whole protocol */
	uint8_t target;			   /* REFUSED_TARGET: which one */
	uint32_t operation;		   /* which operation is reported: the refused one */
};

/* `v`: of the protocol; n >= 1. */
void evaluate(const struct command_table *t, const struct command_permit *p, const struct vocabulary *v,
	      const struct operation *o, uint32_t n, struct ruling *ret);
/* The same by the rows of the permit's shadows, which decide nothing. False: none is of this protocol. */
bool evaluate_shadows(const struct command_table *t, const struct command_permit *p, const struct vocabulary *v,
		      const struct operation *o, uint32_t n, struct ruling *ret);
/* An operation of which only service and targets are known, from an answer: allowed when some row has them. */
void evaluate_unseen(const struct command_table *t, const struct command_permit *p, const struct vocabulary *v,
		     const struct operation *o, struct ruling *ret);
/* Of refused operations: the number that was outside, and what the row that decided would have allowed. */
void evaluate_limit(const struct command_table *t, const struct vocabulary *v, const struct operation *o,
		    const struct ruling *ruling, struct limit *ret);

/* Whether some grant is of the whole protocol: then nothing can be misread. */
bool evaluate_allows_all(const struct command_table *t, const struct command_permit *p, const struct vocabulary *v);
/* The grant and, unless it grants the whole protocol, the row that a choice stands for. False: there is none. */
bool evaluate_choice(const struct command_table *t, const struct command_permit *p, const struct vocabulary *v,
		     uint16_t choice, const struct command_grant **ret_grant, const struct command_row **ret_row);

/* One row alone; *ret_operation and *ret_target say where it refused. */
enum refusal evaluate_row(const struct command_table *t, const struct command_row *row, const struct operation *o,
			  uint32_t n, uint32_t *ret_operation, uint8_t *ret_target);
/*
 * Whether the row lets some operation of a function pass whose code lies in `codes` and that has one of these classes. Codes without
 * a name have all classes: nobody knows what they do. *ret is the lowest such code. `row` may be of a checked policy or of a table.
 */
bool evaluate_passes(const struct command_table *t, const struct command_row *row, const struct vocabulary *v,
		     struct number_range codes, unsigned classes, uint32_t *ret);
/* The last code of those after `code`, which passes, that the row names and that are of the same function, or have no name either. */
uint32_t evaluate_passes_to(const struct command_table *t, const struct command_row *row, const struct vocabulary *v,
			    uint32_t code);

#endif
