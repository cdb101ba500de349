/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enforce's readings of when conduits were used (enforce/matched.h), as bytes that this process
 * does not parse. The next enforce gets them before any apply. They are also written to a file of
 * state: every ten minutes, after each apply and at an orderly end.
 */
#ifndef SEKISHO_SUPERVISE_USED_H
#define SEKISHO_SUPERVISE_USED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct supervisor; /* supervise.h */
struct msg;

struct used {
	uint8_t *bytes; /* owned; NULL = enforce has reported nothing yet */
	size_t n;
	bool unsaved;
	uint64_t save_at; /* monotonic ns: not before */
};

void used_open(struct supervisor *s);
/* Sends the readings to a new enforce. */
void used_give(struct supervisor *s);
void used_told(struct supervisor *s, struct msg *m);
void used_save(struct supervisor *s);
void used_due(struct supervisor *s, uint64_t now);
uint64_t used_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */

#endif
