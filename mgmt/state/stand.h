/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the box stands, by its status (docs/json.md), and the one sentence that says so: `sekisho status` prints it first, and the
 * pages show it first. Pure.
 */
#ifndef SEKISHO_MGMT_STATE_STAND_H
#define SEKISHO_MGMT_STATE_STAND_H

#include "mgmt/state/read.h"

/* Worst first. */
enum stand {
	STAND_NO_POLICY,   /* the deny base alone: nothing crosses */
	STAND_UNWATCHED,   /* rules stand, but nobody watches them */
	STAND_UNINSPECTED, /* a worker or gate is away: conduits follow their failure decisions */
	STAND_UNRECORDED,  /* the journal cannot write */
	STAND_PARTLY,	   /* another role is away */
	STAND_FAULTY,	   /* all roles run, but something around them is not as it should be */
	STAND_ALARMED, /* the box is as it should be, but something grave was seen: an unknown device, silence, packets that nobody inspected */
	STAND_WAITING, /* enforcing, not confirmed */
	STAND_GOOD,
};

/* `faults`: what faults_find found in the same status, in any language; `alarms`: what alarms_find did. */
enum stand stand_of(const json_t *status, const json_t *faults, const json_t *alarms);
/* "no_policy", ..., "good": for programs. */
const char *stand_word(enum stand stand);
/* Without a line end; of STAND_FAULTY with the first two faults in it, of STAND_ALARMED with the first two grave alarms. The caller's to free(); NULL = no
 * memory. */
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
