/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request target of an HTTP request ("/api/v1/events?after=12&limit=50"), read strictly: what
 * is not written exactly as we write it is not ours. No decoding: a percent sign, a doubled slash,
 * a dot segment match no route; but for the words of /api/v1/ask, which are labels and names as
 * people write them. Pure.
 */
#ifndef SEKISHO_MGMT_WEB_API_TARGET_H
#define SEKISHO_MGMT_WEB_API_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"

#define TARGET_PATH 64
#define TARGET_KEY 16
#define TARGET_TEXT 128	     /* bytes of a value, NUL included */
#define TARGET_PARAMETERS 15 /* all that events can be asked for at once */

struct target_parameter {
	char key[TARGET_KEY]; /* small letters only */
	/* letters, digits and . _ : / -; of a person's words what may stand in a line */
	char text[TARGET_TEXT];
	bool number; /* nothing but digits, and within 64 bits */
	uint64_t value;
};

struct target {
	char path[TARGET_PATH]; /* "" when it is none that could be ours */
	bool bad_query;		/* a query that is no list of key=value, or names a key twice */
	struct target_parameter parameters[TARGET_PARAMETERS];
	size_t n_parameters;
};

/* Reads all bytes; what cannot be ours gives an empty path. */
void target_parse(struct bytes text, struct target *ret);
/* False when the parameter was not given, or is no number. */
bool target_number(const struct target *t, const char *key, uint64_t *ret);
/* NULL when it was not given. */
const struct target_parameter *target_find(const struct target *t, const char *key);

#endif
