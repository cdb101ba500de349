/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is overdue (overdue.h): an alarm (`reviews` of the status), a record when there is one more, and one when there is none any more. It stops nothing. What
 * was said is in memory alone, so that a start says it again.
 */
#ifndef SEKISHO_CONTROL_REVIEW_H
#define SEKISHO_CONTROL_REVIEW_H

#include <stdint.h>

#include "appliance/base/json.h"

struct control;

struct reviews {
	uint64_t look_at;    /* monotonic ns */
	uint8_t digest[32];  /* of what was said to be overdue */
	uint32_t generation; /* of what was looked at last */
};

/* Looks every minute, and at once when another policy is in force. */
void review_due(struct control *s, uint64_t now);
uint64_t review_next(const struct control *s); /* monotonic ns */
/* For `status`: {"overdue", "since", "due"}; null while the clock is not trusted. */
json_t *json_reviews(const struct control *s);

#endif
