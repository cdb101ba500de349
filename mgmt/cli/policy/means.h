/* SPDX-License-Identifier: Apache-2.0 */
/* What a change of the policy means: the printed difference in effect, and how another policy would
 * have judged what was recorded. */
#ifndef SEKISHO_MGMT_CLI_POLICY_MEANS_H
#define SEKISHO_MGMT_CLI_POLICY_MEANS_H

#include "appliance/base/json.h"
#include "mgmt/cli/policy/source.h"
#include "policy/ir/ir.h"

/* Prints the difference in effect of two policies (policy/render/render.h), for all verbs that
 * show it. */

/* Prints `sentences`, which describe the difference in effect, or says that there is no difference.
 * `before` and `after` are the prefixes of file names of the old and of the new policy, for example
 * "old/". */
void means_print(struct cli *c, const json_t *sentences, const char *before, const char *after);
/* Prints a setting that differs, in the words of policy/render/settings.h. */
void settings_print(struct cli *c, const char *text);
/* Prints the sentences in an answer of the box; nothing if it has none. */
void means_answered(struct cli *c, const json_t *answer, const char *folder);

/*
 * Computes how a policy would judge the accepted operations that the journal counted (events of
 * kind "counts", docs/json.md). It uses the cells of the generation and the same evaluator that
 * judges packets. Pure.
 *
 * A record does not have everything that the evaluator needs. If a worker had too many kinds of
 * operations, the record's addresses are the span of several operations. The record has only the
 * smallest and the largest value. If an operation names a part of an object, the record does
 * not say of which object. Nor does it say which operations came in one request. So the answer is a
 * range: the least and the largest number of operations that would have been stopped.
 */

struct recorded {
	/* as the record counts them; a session of several hours is in the record of each hour */
	uint64_t operations, sessions;
	uint64_t least, most; /* operations that would have been stopped */
	enum reason reason;   /* why, when there are any */
};

/* Sets `ir` to the conduits that are open at `now`, in seconds since 1970, and judges the record
 * `e` by them. False: the record has too few details, for example because it sums up several kinds
 * of operations. Then only `operations` and `sessions` are set. */
bool recorded_judge(struct ir *ir, const json_t *e, uint64_t now, struct recorded *ret);

#endif
