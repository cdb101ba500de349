/* SPDX-License-Identifier: Apache-2.0 */
/* What every file of this folder stands on (supervise.h has the rest of it). */
#ifndef SEKISHO_SUPERVISE_GROUND_H
#define SEKISHO_SUPERVISE_GROUND_H

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

/* What enforce tells of live sessions with MSG_APPLIED: those that end, and those that go on under another permit. */

struct told {
	json_t *cut, *changed;		   /* arrays for people; owned, NULL = nothing was told */
	struct msg_told_session *sessions; /* owned: those of `cut`, then those of `changed` */
	size_t n_cut, n_changed;
	uint64_t live, cut_more, changed_more;
};

/* Whatever was in *ret is gone. False when what came is not what it should be; *ret is empty then. */
bool told_take(struct msg *m, struct told *ret);
void told_clear(struct told *t);

#endif
