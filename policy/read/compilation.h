/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of the compiler: what every stage adds to. Everything lives in one arena that the
 * caller owns.
 */
#ifndef SEKISHO_POLICY_READ_COMPILATION_H
#define SEKISHO_POLICY_READ_COMPILATION_H

#include "appliance/base/arena.h"
#include "appliance/base/diag.h"

#define COMPILE_BUDGET (192u << 20) /* arena of one run */

struct ast_node;
struct model;
struct ir;

struct compilation {
	struct arena *arena; /* borrowed; everything below lives in it */
	struct diags diags;
	struct source_text *sources; /* in order of loading: main, includes, box.cfg */
	size_t n_sources;
	/* `written`: the policy with groups, fleets and defaults written out; NULL when it could
	 * not be read. `groups`: the groups as the text has them; NULL when there are none */
	const struct ast_node *written, *groups;
	const struct model *model; /* NULL when there were errors before it */
	struct ir *ir;		   /* NULL when there were errors */
};

#endif
