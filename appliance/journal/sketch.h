/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in a closed segment, in a few kilobytes: from when to when its records were made, which severities and verdicts, and sets of names and addresses that may say
 * that something is in them which is not (Bloom filters), and never the other way round. So a question skips most files without reading them.
 *
 * Pure: bytes in, bytes out. It is made of lines by the same reading by which filter.h matches them: what a filter would find in a line, the sketch has.
 */
#ifndef SEKISHO_JOURNAL_SKETCH_H
#define SEKISHO_JOURNAL_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/journal/filter.h"

#define SKETCH_NAMES 2048u /* bytes: 500 names make one question of 5,000 read in vain */
#define SKETCH_HOSTS 4096u /* 2,000 addresses: one of 400 */
#define SKETCH_MOMENT 19u  /* "2026-11-20T08:10:11" */

struct sketch {
	char earliest[SKETCH_MOMENT + 1], latest[SKETCH_MOMENT + 1]; /* of all its records' times; "" = none has one */
	uint8_t severities, verdicts;				     /* a bit for each that is there */
	uint8_t names[SKETCH_NAMES], hosts[SKETCH_HOSTS];
};

void sketch_add(struct sketch *s, const char *line, size_t n);
/* False: no line of them matches. */
bool sketch_may(const struct sketch *s, const struct line_filter *f);

#endif
