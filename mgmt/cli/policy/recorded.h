/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy makes of accepted operations that the journal counted (events of kind "counts",
 * docs/json.md): by the generation's cells and by the evaluator that judges packets. Pure.
 *
 * A record does not have everything that the evaluator needs. When a worker had too many kinds, the
 * record's addresses are the span of several operations. It has only the smallest and the largest
 * value. If an operation names a part of a thing, the record does not say which thing. It does not
 * say which operations came in one request. So the answer is a range: the least and the largest
 * number of operations that would have been stopped.
 */
#ifndef SEKISHO_MGMT_CLI_POLICY_RECORDED_H
#define SEKISHO_MGMT_CLI_POLICY_RECORDED_H

#include "appliance/base/json.h"
#include "policy/ir/ir.h"

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
