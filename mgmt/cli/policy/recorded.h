/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy makes of accepted operations that the journal counted (events of kind "counts", docs/json.md): by the generation's cells and
 * by the evaluator that judges packets. Pure.
 *
 * A record does not tell everything that the evaluator asks: when a worker ran out of places, its addresses are the span of several
 * operations; of values it has the least and the largest; it does not say what a named part belongs to, nor which operations came in one
 * request. So the answer has two ends: how many operations would have been stopped at least, and how many at most.
 */
#ifndef SEKISHO_MGMT_CLI_POLICY_RECORDED_H
#define SEKISHO_MGMT_CLI_POLICY_RECORDED_H

#include "appliance/base/json.h"
#include "policy/ir/ir.h"

struct recorded {
	uint64_t operations, sessions; /* of the record; sessions that go on for hours are in each hour's record */
	uint64_t least, most;	       /* operations that would have been stopped */
	enum reason reason;	       /* why, when there are any */
};

/* `now`: seconds since 1970, for what ends or opens by time; `ir` is brought to that moment. False: a sum without particulars, of which nothing but `operations` can be said. */
bool recorded_judge(struct ir *ir, const json_t *e, uint64_t now, struct recorded *ret);

#endif
