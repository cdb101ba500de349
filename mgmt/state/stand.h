/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The overall state of the box, from its status (docs/json.md), and the sentence for it, which
 * `sekisho status` and the pages show first. Pure.
 */
#ifndef SEKISHO_MGMT_STATE_STAND_H
#define SEKISHO_MGMT_STATE_STAND_H

#include "mgmt/state/read.h"

/* Worst first. */
enum stand {
	STAND_NO_POLICY, /* the deny base alone: nothing crosses */
	STAND_UNWATCHED, /* rules are in force, but no process watches them */
	/* a worker or gate does not run: conduits follow their failure decisions */
	STAND_UNINSPECTED,
	STAND_UNRECORDED, /* the journal cannot write */
	STAND_PARTLY,	  /* another role does not run */
	STAND_FAULTY,	  /* all roles run, but something around them is not as it should be */
	/* the box is in order, but something serious was seen: an unknown device, a silent conduit,
	 * uninspected packets */
	STAND_ALARMED,
	STAND_WAITING, /* enforcing, not confirmed */
	STAND_GOOD,
};

/* `faults`: what faults_find found in the same status, in any language; `alarms`: what
 * alarms_find did. */
enum stand stand_of(const json_t *status, const json_t *faults, const json_t *alarms);
/* "no_policy", ..., "good": for programs. */
const char *stand_word(enum stand stand);
/* Without a line end; of STAND_FAULTY with the first two faults in it, of STAND_ALARMED with the
 * first two grave alarms. The caller's to free(); NULL = no memory. */
char *stand_sentence(const json_t *status, const json_t *faults, const json_t *alarms, enum stand stand, enum lang l);
/* How many of `alarms` are grave. */
size_t stand_grave(const json_t *alarms);
/* What the sentence leaves unsaid: whether the list of faults has to stand below it. */
bool stand_lists(const json_t *faults, enum stand stand);

/* A role that runs, as far as the supervisor can see, but did not answer in time. */
bool stand_silent(const json_t *status, const json_t *role);
/* "dpi/0 (commands)": there are several of the packet path. */
const char *stand_role(const json_t *role, enum lang l, char out[RENDER_TEXT]);

#endif
