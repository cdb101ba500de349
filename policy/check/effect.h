/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a row of `allow` does. A row that lets nothing pass, a function that never passes and a key
 * that limits nothing are reported, from one evaluation of the row for each function (evaluate.h).
 */
#ifndef SEKISHO_POLICY_CHECK_EFFECT_H
#define SEKISHO_POLICY_CHECK_EFFECT_H

#include "policy/check/check.h"
#include "policy/check/model.h"
#include "policy/check/say.h"

/* The keys of every vocabulary, of its targets and of its address spaces; NULL where one is
 * missing. */
struct allow_nodes {
	const struct ast_node *commands, *functions, *values;
	const struct ast_node *const *targets, *const *spaces;
};

/* If the row lets nothing pass because some target has to be named, the row gets the number that is
 * usual there. Then what does nothing is reported. */
void effect_of_row(struct check *k, const struct ast_node *row, const struct allow_nodes *nodes,
		   const struct vocabulary *v, struct object o, struct command_row *a);
/* Reports functions of the service that pass only after another one, which no row allows. */
void effect_of_rows(struct check *k, const struct vocabulary *v, struct object o, const struct model_service *s);

#endif
