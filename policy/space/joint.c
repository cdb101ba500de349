/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/joint.h"

#include "policy/ir/objects.h"

#define OF(member) offsetof(struct model_conduit, member), sizeof(((struct model_conduit *)0)->member)
const struct joint_setting joint_settings[JOINTS] = {
	[JOINT_DOWN] = { "when_down", failure_words, OF(when_down), .lane = true },
	[JOINT_OVERLOADED] = { "when_overloaded", failure_words, OF(when_overloaded), .lane = true },
	[JOINT_MIDSTREAM] = { "when_midstream", midstream_words, OF(when_midstream) },
	[JOINT_CRITICALITY] = { "criticality", criticality_words, OF(criticality), .lane = true },
	[JOINT_TIGHTEN] = { "on_tighten", tighten_words, OF(tighten_new_flows), .always = true },
	[JOINT_WEAK_TLS] = { "weak_tls", weak_tls_words, OF(deny_weak_tls), .upward = true },
	[JOINT_IDLE] = { "idle", NULL, OF(idle), .always = true },
	[JOINT_SESSION] = { "session", NULL, OF(session), .always = true },
};

/* No limit, which is 0 seconds, becomes the largest number. */
unsigned joint_rank(const struct model_conduit *c, enum joint s)
{
	const struct joint_setting *of = &joint_settings[s];

	return ((unsigned)ir_number(c, of->at, of->size) ^ of->upward) - (of->words == NULL);
}

unsigned joint_value(enum joint s, unsigned rank)
{
	return (rank + (joint_settings[s].words == NULL)) ^ joint_settings[s].upward;
}
