/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overdue entries (overdue.c) are an alarm (`reviews` of the status). It is recorded when an entry
 * becomes overdue, and when none is overdue any more. No traffic is stopped. What was recorded is
 * kept in memory only, so it is recorded again after a start.
 */
#ifndef SEKISHO_CONTROL_REVIEW_H
#define SEKISHO_CONTROL_REVIEW_H

#include <stdint.h>

#include "appliance/base/json.h"

struct control;

struct reviews {
	uint64_t look_at;    /* monotonic ns */
	uint8_t digest[32];  /* digest of the entries that were last recorded */
	uint32_t generation; /* the generation that was in force at the last look */
};

/* Looks every minute, and at once when another policy is in force. */
void review_due(struct control *s, uint64_t now);
uint64_t review_next(const struct control *s); /* monotonic ns */
/* For `status`: {"overdue", "since", "due"}; null while the clock is not trusted. */
json_t *json_reviews(const struct control *s);

#endif
