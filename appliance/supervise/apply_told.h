/* SPDX-License-Identifier: Apache-2.0 */
/* What enforce reports about live sessions in MSG_APPLIED: those that end, and those that go on
 * under another permit. This process reads none of it. */
#ifndef SEKISHO_SUPERVISE_APPLY_TOLD_H
#define SEKISHO_SUPERVISE_APPLY_TOLD_H

#include <stdbool.h>
#include <stddef.h>

struct supervisor;

struct told {
	bool held;
	int sessions, cuts; /* owned if `held`: of the message */
	size_t n_cut, n_changed;
};

void told_clear(struct told *t);
/* sends a list as in wire/cuts.h; the descriptor stays the caller's */
void cuts_hand_on(struct supervisor *s, int fd);

#endif
