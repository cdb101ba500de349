/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tried.c: when a backup was last tried out with success. 31 days later the status says that the
 * next try is overdue. The time is in a file of control's folder.
 */
#ifndef SEKISHO_CONTROL_TRIED_H
#define SEKISHO_CONTROL_TRIED_H

#include <stdint.h>

#include "appliance/base/json.h"

struct control;

struct tried {
	/* seconds; 0 = unknown: the days count from the moment at which the clock is trusted */
	uint64_t since;
	uint64_t look_at; /* monotonic ns */
};

void tried_open(struct control *s);
void tried_due(struct control *s, uint64_t now);
uint64_t tried_next(const struct control *s); /* monotonic ns */
/* The record with this text says that a backup was tried out. */
void tried_recorded(struct control *s, const char *text);
/* For `status`: {"since", "days", "overdue", "carried"}; null while the clock is not trusted. */
json_t *json_tried(const struct control *s);

#endif
