/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that every file of this folder uses (supervise.h has the rest). */
#ifndef SEKISHO_SUPERVISE_GROUND_H
#define SEKISHO_SUPERVISE_GROUND_H

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

/* What enforce reports about live sessions in MSG_APPLIED: those that end, and those that go on
 * under another permit. */

struct told {
	json_t *cut, *changed;		   /* arrays for people; owned, NULL = no report */
	struct msg_told_session *sessions; /* owned: those of `cut`, then those of `changed` */
	size_t n_cut, n_changed;
	uint64_t live, cut_more, changed_more;
};

/* Frees the old contents of *ret. False when the message is invalid; *ret is then empty. */
bool told_take(struct msg *m, struct told *ret);
void told_clear(struct told *t);

#endif
