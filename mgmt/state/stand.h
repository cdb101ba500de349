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
#define STAND(id, ...) id,
#include "mgmt/state/stand.def"
};

/* `faults`: the result of faults_find for the same status, in any language; `alarms`: that of
 * alarms_find. */
enum stand stand_of(const json_t *status, const json_t *faults, const json_t *alarms);
/* The state as a word for programs: "no_policy", ..., "good". */
const char *stand_word(enum stand stand);
/* The state as a sentence without a line end. For STAND_FAULTY it names the first two faults, for
 * STAND_ALARMED the first two serious alarms. The caller frees it; NULL = no memory. */
char *stand_sentence(const json_t *status, const json_t *faults, const json_t *alarms, enum stand stand, enum lang l);
/* The number of serious alarms. */
size_t stand_grave(const json_t *alarms);
/* Whether there are faults that the sentence does not name, so that their list has to be shown
 * below it. */
bool stand_lists(const json_t *faults, enum stand stand);

/* Whether the supervisor sees the role as running, but it did not answer in time. */
bool stand_silent(const json_t *status, const json_t *role);
/* The name of a role, with its number and kind where there are several: "dpi/0 (commands)". */
const char *stand_role(const json_t *role, enum lang l, char out[RENDER_TEXT]);

/* Counts from the status, by reason: what was refused, and what passed without being judged. */

/*
 * [{"who":"kernel|workers","reason":"no_conduit","packets":12}], in the order of the reasons,
 * without zeros. The kernel counts since its rules were loaded, workers since they started.
 * `unjudged`: packets that passed unjudged because of their conduit's setting, instead of refused
 * ones. The array is owned by the caller.
 */
json_t *refused_list(const json_t *status, bool unjudged);

#endif
