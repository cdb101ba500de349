/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of conduits of which the strictest one applies where conduits overlap: permits are
 * made from this table, and policies are compared by it. Constant. */
#ifndef SEKISHO_POLICY_SPACE_JOINT_H
#define SEKISHO_POLICY_SPACE_JOINT_H

#include "policy/check/model.h"

enum joint {
	JOINT_DOWN,
	JOINT_OVERLOADED,
	JOINT_MIDSTREAM,
	JOINT_CRITICALITY,
	JOINT_TIGHTEN,
	JOINT_WEAK_TLS, /* decided only by services whose protocol is TLS */
	JOINT_IDLE,
	JOINT_SESSION,
	JOINTS
};

extern const struct joint_setting {
	const char *key;
	const char *const *words; /* NULL: seconds, 0 = no limit */
	size_t at, size;	  /* the member of struct model_conduit */
	bool upward;		  /* of two words: the second is the stricter one */
	bool lane;		  /* part of the lane: without inspection there is none */
	bool always;		  /* has an effect without inspection, too */
} joint_settings[JOINTS];

/* How strict the conduit is; 0 is the strictest. */
unsigned joint_rank(const struct model_conduit *c, enum joint s);
/* The value with this rank. */
unsigned joint_value(enum joint s, unsigned rank);

#endif
