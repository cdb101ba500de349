/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy makes of accepted operations that the journal counted (events of kind "counts",
 * docs/json.md): by the generation's cells and by the evaluator that judges packets. Pure.
 *
 * A record does not have everything that the evaluator needs. When a worker had too many kinds, the
 * record's addresses are the span of several operations. It has only the smallest and the largest
 * value. It does not say what a named part belongs to, or which operations came in one request. So
 * the answer is a range: the least and the largest number of operations that would have
 * been stopped.
 */
#ifndef SEKISHO_MGMT_CLI_POLICY_RECORDED_H
#define SEKISHO_MGMT_CLI_POLICY_RECORDED_H

#include "appliance/base/json.h"
#include "policy/ir/ir.h"

struct recorded {
	/* of the record; sessions that go on for hours are in each hour's record */
	uint64_t operations, sessions;
	uint64_t least, most; /* operations that would have been stopped */
	enum reason reason;   /* why, when there are any */
};

/* `now`: seconds since 1970, for what ends or opens by time; `ir` is brought to that moment. False:
 * a sum without particulars, of which nothing but `operations` can be said. */
bool recorded_judge(struct ir *ir, const json_t *e, uint64_t now, struct recorded *ret);

#endif
